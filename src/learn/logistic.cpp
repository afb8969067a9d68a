#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/learn/linear_model.hpp>
#include <lrid/learn/logistic.hpp>

#include "kernels/kernels.hpp"

namespace lrid::learn {

namespace {

constexpr double logistic_tolerance = 1e-8;

/// [n, m] a · b, a stretch of rows at a time: the same for any number of threads.
Matrix product(const Matrix& a, const Matrix& b) {
  constexpr Eigen::Index stretch = 512;
  Matrix result(a.rows(), b.cols());
  parallel_each(static_cast<std::size_t>((a.rows() + stretch - 1) / stretch), [&](std::size_t i) {
    const Eigen::Index begin = static_cast<Eigen::Index>(i) * stretch,
                       count = std::min(stretch, a.rows() - begin);
    kernels().dense.multiply(count, a.cols(), b.cols(), a.row(begin).data(), a.cols(), b.data(), b.cols(),
                             result.row(begin).data(), b.cols());
  });
  return result;
}

double dot(const Matrix& a, const Matrix& b) {
  return a.cwiseProduct(b).sum();
}

using Factor = Eigen::LLT<Eigen::MatrixXd>;  // reads the lower triangle

/// What all classes' weights have in common takes no part in a prediction, and the penalty wants none of it:
/// iterates, gradients and steps have rows that sum to zero.
void take_common_out(Matrix& weights) {
  weights.colwise() -= weights.rowwise().mean().eval();
}

/// The loss of samples, whatever the penalty.
class LogisticLoss {
 public:
  LogisticLoss(const Matrix& x, const std::vector<int>& labels)
      : x_(x), turned_(x.transpose()), labels_(labels) {}

  /// [n, classes]
  [[nodiscard]] Matrix logits(const Matrix& weights) const { return product(x_, weights); }
  /// Σ_i −log p_i(y_i)
  [[nodiscard]] double at(const Matrix& logits) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < logits.rows(); ++i) {
      const double most = logits.row(i).maxCoeff();
      sum += std::log((logits.row(i).array() - most).exp().sum()) + most - logits(i, label(i));
    }
    return sum;
  }
  /// Fixes the point where gradient and curvature are taken.
  void look_from(const Matrix& logits) {
    p_ = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
    p_.array().colwise() /= p_.rowwise().sum().array().eval();
  }
  /// [d, classes]
  [[nodiscard]] Matrix gradient() const {
    Matrix excess = p_;
    for (Eigen::Index i = 0; i < excess.rows(); ++i) excess(i, label(i)) -= 1;
    return product(turned_, excess);
  }
  /// [d, classes] the Hessian times a direction.
  [[nodiscard]] Matrix curvature(const Matrix& direction) const {
    Matrix moved = product(x_, direction).cwiseProduct(p_);
    moved -= (p_.array().colwise() * moved.rowwise().sum().array().eval()).matrix();
    return product(turned_, moved);
  }
  /// 1 + c times the Hessian's block of each class, factorised.
  [[nodiscard]] std::vector<Factor> blocks(double c) const {
    std::vector<Factor> result(static_cast<std::size_t>(p_.cols()));
    parallel_each(result.size(), [&](std::size_t k) {
      constexpr Eigen::Index at_a_time = 256;
      const auto column = static_cast<Eigen::Index>(k);
      Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(x_.cols(), x_.cols());
      for (Eigen::Index begin = 0; begin < x_.rows(); begin += at_a_time) {
        const Eigen::Index count = std::min(at_a_time, x_.rows() - begin);
        const auto p = p_.col(column).segment(begin, count).array();
        const Matrix panel = (c * p * (1 - p)).sqrt().matrix().asDiagonal() * x_.middleRows(begin, count);
        kernels().dense.add_gram(count, panel.cols(), panel.data(), panel.cols(), 1.0, gram.data());
      }
      gram.diagonal().array() += 1;
      result[k].compute(gram);
    });
    return result;
  }

 private:
  [[nodiscard]] int label(Eigen::Index i) const { return labels_[static_cast<std::size_t>(i)]; }

  const Matrix& x_;
  Matrix turned_, p_;
  const std::vector<int>& labels_;
};

/// About −H⁻¹·gradient, to a residual of `share` in the preconditioner's norm.
Matrix newton_direction(const LogisticLoss& loss, const Matrix& gradient, double c, double share) {
  constexpr int most = 500;
  const std::vector<Factor> blocks = loss.blocks(c);
  const auto preconditioned = [&](const Matrix& residual) {
    Matrix result(residual.rows(), residual.cols());
    parallel_each(blocks.size(), [&](std::size_t k) {
      const auto column = static_cast<Eigen::Index>(k);
      result.col(column) = blocks[k].solve(residual.col(column));
    });
    take_common_out(result);
    return result;
  };
  Matrix result = Matrix::Zero(gradient.rows(), gradient.cols());
  Matrix residual = -gradient, scaled = preconditioned(residual), direction = scaled;
  double square = dot(residual, scaled);
  const double enough = share * share * square;
  for (int i = 0; i < most && square > enough; ++i) {
    check_interrupt();
    const Matrix curved = direction + c * loss.curvature(direction);
    const double step = square / dot(direction, curved);
    result += step * direction;
    residual -= step * curved;
    scaled = preconditioned(residual);
    const double before = square;
    square = dot(residual, scaled);
    direction = scaled + square / before * direction;
  }
  return result;
}

LogisticSolution descend(LogisticLoss& loss, double c, const Matrix& start, double tolerance) {
  constexpr int max_steps = 100, max_halvings = 40;
  LogisticSolution at{.weights = start};
  take_common_out(at.weights);
  Matrix logits = loss.logits(at.weights);
  at.objective = at.weights.squaredNorm() / 2 + c * loss.at(logits);
  double first = 0;  // norm of the gradient
  while (true) {
    check_interrupt();
    loss.look_from(logits);
    const Matrix gradient = at.weights + c * loss.gradient();
    const double norm = gradient.norm(), bound = norm * norm / 2;
    at.gap = bound < at.objective ? bound / (at.objective - bound) : std::numeric_limits<double>::infinity();
    if (at.gap <= tolerance || at.steps == max_steps) return at;
    if (at.steps == 0) first = norm;
    const Matrix step = newton_direction(loss, gradient, c, std::min(0.1, std::sqrt(norm / first)));
    const double slope = dot(gradient, step);
    double t = 1;
    for (int halvings = 0;; ++halvings, t /= 2) {
      const Matrix weights = at.weights + t * step, there = loss.logits(weights);
      const double objective = weights.squaredNorm() / 2 + c * loss.at(there);
      if (objective <= at.objective + 1e-4 * t * slope) {
        at.weights = weights;
        at.objective = objective;
        logits = there;
        break;
      }
      if (halvings == max_halvings) return at;  // f is flat to its last digit
    }
    ++at.steps;
  }
}

/// The weights [1 + columns, classes] at each C, ascending; each is where the next begins.
std::vector<Matrix> weights_along(const Samples& train, const std::vector<double>& ascending_c) {
  Matrix x(train.size(), 1 + train.x.cols());
  x.col(0).setOnes();
  x.rightCols(train.x.cols()) = train.x;
  LogisticLoss loss(x, train.labels);
  Matrix start = Matrix::Zero(x.cols(), train.classes);
  std::vector<Matrix> result;
  for (const double c : ascending_c) {
    LogisticSolution solution = descend(loss, c, start, logistic_tolerance);
    if (solution.gap > logistic_tolerance)
      spdlog::warn("logistic: C = {}: certified to {:.1e} of the optimum only", c, solution.gap);
    start = std::move(solution.weights);
    result.push_back(start);
  }
  return result;
}

}  // namespace

LogisticSolution solve_logistic(const Matrix& x, const std::vector<int>& labels, double c,
                                const Matrix& start, double tolerance) {
  LogisticLoss loss(x, labels);
  return descend(loss, c, start, tolerance);
}

void Logistic::declare(Options& options) {
  options.add("logistic.C", c_, Accepts::above(0), "grid: weight of the loss against the penalty");
  if (c_.empty()) options.fail("logistic.C", "is empty: expected at least one value");
}

std::vector<Setting> Logistic::settings() const {
  std::vector<Setting> result;
  for (const double c : c_) result.push_back({{"C", c}});
  return result;
}

GridOutcome Logistic::fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const {
  std::vector<double> ascending = c_;
  std::ranges::sort(ascending);
  const std::vector<Matrix> weights = weights_along(train, ascending);
  GridOutcome outcome;
  for (const double c : c_) {
    const auto place = static_cast<std::size_t>(std::ranges::find(ascending, c) - ascending.begin());
    outcome.scores.push_back(decision_values(validation, weights[place]));
  }
  outcome.computed = static_cast<std::int64_t>(c_.size());
  return outcome;
}

std::unique_ptr<Model> Logistic::fit(const Samples& train, const Setting& setting, Key /*key*/) const {
  return std::make_unique<LinearModel>(weights_along(train, {std::get<double>(setting.at("C"))}).front());
}

std::unique_ptr<Model> Logistic::load(const io::hdf5::Group& group, const Layout& layout, int classes) const {
  return LinearModel::load(group, layout, classes);
}

}  // namespace lrid::learn
