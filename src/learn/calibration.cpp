#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <Eigen/LU>
#include <fmt/format.h>

#include <lrid/core/index.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/matrix_file.hpp>

#include "linear_model.hpp"
#include "logistic.hpp"

namespace lrid::learn {

namespace {

constexpr double least_probability = 1e-3;

Matrix softmax(const Matrix& logits, double inverse_temperature) {
  Matrix p = (inverse_temperature * (logits.colwise() - logits.rowwise().maxCoeff())).array().exp();
  return p.array().colwise() / p.rowwise().sum().array();
}

/// As in Platt's scaling (1999, "Probabilistic outputs for support vector machines"), labels are taken as not
/// quite certain, since separable samples would have no optimum otherwise.
double doubt_among(std::size_t samples) {
  return 1.0 / (static_cast<double>(samples) + 2);
}

/// The β of least cross entropy, found as the root of its derivative Σ_i (E_p[z] − E_t[z]), which increases
/// with β.
double best_inverse_temperature(const Matrix& logits, const std::vector<int>& labels) {
  const auto k = static_cast<double>(logits.cols());
  const double doubt = doubt_among(labels.size());
  double target = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i)
    target += (1 - doubt) * logits(i, labels[to_size(i)]) + doubt / k * logits.row(i).sum();
  double low = -20, high = 20;  // log β
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (softmax(logits, std::exp(middle)).cwiseProduct(logits).sum() < target ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

}  // namespace

Matrix logits_of(const Matrix& scores, bool are_probabilities) {
  if (!are_probabilities) return scores;
  return scores.array().max(0.0).unaryExpr([](double p) { return std::log(p + least_probability); });
}

IsotonicCurve IsotonicCurve::fit(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return x[i]; });
  struct Block {
    double low, high, sum, count;
    [[nodiscard]] double mean() const { return sum / count; }
  };
  std::vector<Block> blocks;
  for (const std::size_t i : order) {
    if (!blocks.empty() && blocks.back().high == x[i] && blocks.back().low == x[i]) {  // ties are one point
      blocks.back().sum += y[i];
      ++blocks.back().count;
    } else {
      blocks.push_back({x[i], x[i], y[i], 1});
    }
  }
  std::vector<Block> pooled;
  for (const Block& block : blocks) {
    pooled.push_back(block);
    while (pooled.size() > 1 && pooled[pooled.size() - 2].mean() >= pooled.back().mean()) {
      const Block last = pooled.back();
      pooled.pop_back();
      pooled.back().high = last.high;
      pooled.back().sum += last.sum;
      pooled.back().count += last.count;
    }
  }
  std::vector<double> corner, value;
  for (const Block& block : pooled) {
    corner.push_back(block.low);
    value.push_back(block.mean());
    if (block.high == block.low) continue;
    corner.push_back(block.high);
    value.push_back(block.mean());
  }
  return {std::move(corner), std::move(value)};
}

double IsotonicCurve::operator()(double x) const {
  const auto above = to_size(std::ranges::upper_bound(x_, x) - x_.begin());
  if (above == 0) return y_.front();
  if (above == x_.size()) return y_.back();
  const double weight = (x - x_[above - 1]) / (x_[above] - x_[above - 1]);
  return y_[above - 1] + weight * (y_[above] - y_[above - 1]);
}

const std::vector<std::string>& Calibration::methods() {
  static const std::vector<std::string> names = {"temperature", "isotonic", "none"};
  return names;
}

Calibration::Calibration(const std::string& method, const Matrix& logits, const std::vector<int>& labels) {
  if (method == "none" || labels.empty()) return;
  inverse_temperature_ = best_inverse_temperature(logits, labels);
  if (method != "isotonic") return;
  const Matrix p = softmax(logits, inverse_temperature_);
  for (Eigen::Index c = 0; c < p.cols(); ++c) {
    std::vector<double> x, y;
    for (Eigen::Index i = 0; i < p.rows(); ++i) {
      x.push_back(p(i, c));
      y.push_back(labels[to_size(i)] == c ? 1 : 0);
    }
    curves_.push_back(IsotonicCurve::fit(x, y));
  }
}

Matrix Calibration::probabilities(const Matrix& logits) const {
  Matrix p = softmax(logits, inverse_temperature_);
  if (curves_.empty()) return p;
  for (Eigen::Index i = 0; i < p.rows(); ++i) {
    for (Eigen::Index c = 0; c < p.cols(); ++c)
      p(i, c) = std::max(curves_[to_size(c)](p(i, c)), least_probability);
    p.row(i) /= p.row(i).sum();
  }
  return p;
}

void Calibration::save(io::hdf5::Group& group) const {
  group.set_attribute("inverse_temperature", inverse_temperature_);
  for (std::size_t c = 0; c < curves_.size(); ++c) {
    group.write(fmt::format("curve{}_x", c), curves_[c].x());
    group.write(fmt::format("curve{}_y", c), curves_[c].y());
  }
}

Calibration Calibration::load(const io::hdf5::Group& group, int classes) {
  Calibration calibration;
  calibration.inverse_temperature_ = group.attribute<double>("inverse_temperature");
  if (!group.has_dataset("curve0_x")) return calibration;
  for (int c = 0; c < classes; ++c) {
    auto x = group.dataset(fmt::format("curve{}_x", c)).read<double>({-1});
    auto y = group.dataset(fmt::format("curve{}_y", c)).read<double>({std::ssize(x)});
    if (x.empty()) group.fail("an empty calibration curve: expected at least one point");
    calibration.curves_.emplace_back(std::move(x), std::move(y));
  }
  return calibration;
}

MarginScaling::MarginScaling(const Matrix& margins, const std::vector<int>& labels) {
  std::vector<double> sizes(margins.data(), margins.data() + margins.size());
  for (double& size : sizes) size = std::abs(size);
  std::ranges::nth_element(sizes, sizes.begin() + std::ssize(sizes) / 2);
  if (const double median = sizes[sizes.size() / 2]; median > 0) scale_ = median;
  const Eigen::Index classes = margins.cols();
  Matrix x(margins.rows(), 1 + classes);
  x << Matrix::Ones(margins.rows(), 1), (margins / scale_).array().asinh().matrix();
  weights_ = solve_logistic(x, labels, 1.0, Matrix::Zero(1 + classes, classes)).weights;
}

Matrix MarginScaling::probabilities(const Matrix& margins) const {
  const Matrix z = (margins / scale_).array().asinh();
  return softmax((z * weights_.bottomRows(z.cols())).rowwise() + weights_.row(0), 1);
}

void MarginScaling::save(io::hdf5::Group& group) const {
  group.set_attribute("scale", scale_);
  write_matrix(group, "weights", weights_);
}

MarginScaling MarginScaling::load(const io::hdf5::Group& group, int classes) {
  MarginScaling scaling;
  scaling.scale_ = group.attribute<double>("scale");
  scaling.weights_ = read_matrix(group, "weights", 1 + classes, classes);
  return scaling;
}

namespace {

/// log β is kept in this range, which is wider than any data need.
constexpr double least_log_beta = -6, most_log_beta = 4;

Eigen::VectorXd betas(double level, double slope, const std::vector<double>& log_distance) {
  Eigen::VectorXd result(std::ssize(log_distance));
  for (std::size_t i = 0; i < log_distance.size(); ++i)
    result(to_index(i)) =
        std::exp(std::clamp(level - slope * log_distance[i], least_log_beta, most_log_beta));
  return result;
}

Matrix softmax_of_rows(const Matrix& logits, const Eigen::VectorXd& beta) {
  return softmax(logits.array().colwise() * beta.array(), 1);
}

/// The penalised cross entropy of a level and a slope, with its derivatives.
struct DistanceLoss {
  double value = 0;
  Eigen::Vector2d gradient = Eigen::Vector2d::Zero();
  Eigen::Matrix2d curvature = Eigen::Matrix2d::Zero();  // positive semidefinite part of the Hessian
};

DistanceLoss distance_loss(const Eigen::Vector2d& at, const Matrix& logits, const std::vector<int>& labels,
                           const std::vector<double>& log_distance, const std::vector<double>& weights) {
  constexpr double penalty = 1e-3;
  const Eigen::VectorXd beta = betas(at(0), at(1), log_distance);
  const Matrix p = softmax_of_rows(logits, beta);
  const double doubt = doubt_among(labels.size()), k = static_cast<double>(logits.cols());
  DistanceLoss loss;
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += weights[i];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto z = logits.row(to_index(i));
    const auto q = p.row(to_index(i));
    const double b = beta(to_index(i)), w = weights[i] / sum;
    const double log_partition = std::log((b * (z.array() - z.maxCoeff())).exp().sum()) + b * z.maxCoeff();
    const double target = (1 - doubt) * z(labels[i]) + doubt / k * z.sum();
    loss.value += w * (log_partition - b * target);
    const double log_beta = at(0) - at(1) * log_distance[i];
    if (log_beta < least_log_beta || log_beta > most_log_beta) continue;
    const double mean = q.dot(z), slope = b * (mean - target),
                 bend = b * b * (q.dot(z.cwiseAbs2()) - mean * mean) + std::max(slope, 0.0);
    const Eigen::Vector2d direction(1, -log_distance[i]);
    loss.gradient += w * slope * direction;
    loss.curvature += w * bend * direction * direction.transpose();
  }
  loss.value += penalty * at.squaredNorm();
  loss.gradient += 2 * penalty * at;
  loss.curvature += 2 * penalty * Eigen::Matrix2d::Identity();
  return loss;
}

}  // namespace

DistanceCalibration::DistanceCalibration(const Matrix& logits, const std::vector<int>& labels,
                                         const std::vector<double>& log_distance,
                                         const std::vector<double>& weights) {
  const auto loss = [&](const Eigen::Vector2d& at) {
    return distance_loss(at, logits, labels, log_distance, weights);
  };
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::Vector2d at : {Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 1)}) {
    DistanceLoss here = loss(at);
    double damping = 1e-3;  // Levenberg 1944
    for (int step = 0; step < 200 && damping < 1e12; ++step) {
      Eigen::Matrix2d damped = here.curvature;
      damped.diagonal() *= 1 + damping;
      const Eigen::Vector2d next = at - damped.inverse() * here.gradient;
      const DistanceLoss there = loss(next);
      if (!(there.value < here.value)) {
        damping *= 10;
        continue;
      }
      at = next;
      here = there;
      damping /= 10;
    }
    if (here.value >= least) continue;
    least = here.value;
    level_ = at(0);
    slope_ = at(1);
  }
}

Matrix DistanceCalibration::probabilities(const Matrix& logits,
                                          const std::vector<double>& log_distance) const {
  return softmax_of_rows(logits, betas(level_, slope_, log_distance));
}

void DistanceCalibration::save(io::hdf5::Group& group) const {
  group.set_attribute("level", level_);
  group.set_attribute("slope", slope_);
}

DistanceCalibration DistanceCalibration::load(const io::hdf5::Group& group) {
  DistanceCalibration calibration;
  calibration.level_ = group.attribute<double>("level");
  calibration.slope_ = group.attribute<double>("slope");
  return calibration;
}

}  // namespace lrid::learn
