#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <lrid/core/index.hpp>
#include <lrid/learn/calibration.hpp>

namespace lrid::learn {

namespace {

constexpr double least_probability = 1e-3;

Matrix softmax(const Matrix& logits, double inverse_temperature) {
  Matrix p = (inverse_temperature * (logits.colwise() - logits.rowwise().maxCoeff())).array().exp();
  return p.array().colwise() / p.rowwise().sum().array();
}

/// The β of least cross entropy, found as the root of its derivative Σ_i (E_p[z] − E_t[z]), which increases
/// with β. As in Platt's scaling (1999, "Probabilistic outputs for support vector machines"), labels t are
/// taken as not quite certain, since separable samples would have no optimum otherwise.
double best_inverse_temperature(const Matrix& logits, const std::vector<int>& labels) {
  const auto n = static_cast<double>(labels.size()), k = static_cast<double>(logits.cols());
  const double doubt = 1.0 / (n + 2);
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

}  // namespace lrid::learn
