#include "logistic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/parallel.hpp>

#include "classifiers.hpp"
#include "kernels/dense.hpp"
#include "linear_model.hpp"

namespace lrid::learn {

namespace {

constexpr double logistic_tolerance = 1e-8;

/// [n, m] a · b, in parallel by blocks of rows that do not depend on the number of threads.
Matrix product(const Matrix& a, const Matrix& b) {
  constexpr Eigen::Index stretch = 512;
  Matrix result(a.rows(), b.cols());
  parallel_each(to_size((a.rows() + stretch - 1) / stretch), [&](std::size_t i) {
    const Eigen::Index begin = to_index(i) * stretch, count = std::min(stretch, a.rows() - begin);
    multiply(count, a.cols(), b.cols(), Factor<double>{a.row(begin).data(), a.cols()},
             Factor<double>{b.data(), b.cols()}, 0, result.row(begin).data(), b.cols());
  });
  return result;
}

double dot(const Matrix& a, const Matrix& b) {
  return a.cwiseProduct(b).sum();
}

using Cholesky = Eigen::LLT<Eigen::MatrixXd>;  // reads the lower triangle

/// Removes the part common to all classes, which does not affect predictions and is 0 at the optimum: rows of
/// iterates, gradients and steps sum to zero.
void remove_common_part(Matrix& weights) {
  weights.colwise() -= weights.rowwise().mean().eval();
}

/// The loss of the samples, without the penalty.
class LogisticLoss {
 public:
  LogisticLoss(const Matrix& x, const std::vector<int>& labels)
      : x_(x), transposed_(x.transpose()), labels_(labels) {}

  /// [n, classes] logits.
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
  /// Sets the point at which gradient() and curvature() are evaluated.
  void set_point(const Matrix& logits) {
    p_ = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
    p_.array().colwise() /= p_.rowwise().sum().array().eval();
  }
  /// [d, classes] gradient.
  [[nodiscard]] Matrix gradient() const {
    Matrix excess = p_;
    for (Eigen::Index i = 0; i < excess.rows(); ++i) excess(i, label(i)) -= 1;
    return product(transposed_, excess);
  }
  /// [d, classes] product of the Hessian and a direction.
  [[nodiscard]] Matrix curvature(const Matrix& direction) const {
    Matrix moved = product(x_, direction).cwiseProduct(p_);
    moved -= (p_.array().colwise() * moved.rowwise().sum().array().eval()).matrix();
    return product(transposed_, moved);
  }
  /// [classes] factorised blocks of 1 + c · Hessian for single classes.
  [[nodiscard]] std::vector<Cholesky> blocks(double c) const {
    std::vector<Cholesky> result(to_size(p_.cols()));
    parallel_each(result.size(), [&](std::size_t k) {
      constexpr Eigen::Index at_a_time = 256;
      const auto column = to_index(k);
      Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(x_.cols(), x_.cols());
      for (Eigen::Index begin = 0; begin < x_.rows(); begin += at_a_time) {
        const Eigen::Index count = std::min(at_a_time, x_.rows() - begin);
        const auto p = p_.col(column).segment(begin, count).array();
        const Matrix panel = (c * p * (1 - p)).sqrt().matrix().asDiagonal() * x_.middleRows(begin, count);
        add_gram(count, panel.cols(), panel.data(), panel.cols(), 1.0, gram.data(), panel.cols());
      }
      gram.diagonal().array() += 1;
      result[k].compute(gram);
    });
    return result;
  }

 private:
  [[nodiscard]] int label(Eigen::Index i) const { return labels_[to_size(i)]; }

  const Matrix& x_;
  Matrix transposed_, p_;
  const std::vector<int>& labels_;
};

/// Approximates −H⁻¹·gradient to a relative residual of `tolerance` in the preconditioner's norm.
Matrix newton_direction(const LogisticLoss& loss, const Matrix& gradient, double c, double tolerance) {
  constexpr int most = 500;
  const std::vector<Cholesky> blocks = loss.blocks(c);
  const auto preconditioned = [&](const Matrix& residual) {
    Matrix result(residual.rows(), residual.cols());
    parallel_each(blocks.size(), [&](std::size_t k) {
      const auto column = to_index(k);
      result.col(column) = blocks[k].solve(residual.col(column));
    });
    remove_common_part(result);
    return result;
  };
  Matrix result = Matrix::Zero(gradient.rows(), gradient.cols());
  Matrix residual = -gradient, scaled = preconditioned(residual), direction = scaled;
  double square = dot(residual, scaled);
  const double enough = tolerance * tolerance * square;
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
  remove_common_part(at.weights);
  Matrix logits = loss.logits(at.weights);
  at.objective = at.weights.squaredNorm() / 2 + c * loss.at(logits);
  double first = 0;  // norm of the gradient
  while (true) {
    check_interrupt();
    loss.set_point(logits);
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

/// [C] of weights [1 + columns, classes], by ascending C, each starting from the one before.
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

namespace {

/// The classifier "logistic", a simple baseline: multinomial logistic regression on the standardised
/// features, bias and constants, all of them penalised. Scores are the logits. Grid: C.
class Logistic : public Classifier {
 public:
  void declare(Options& options) override {
    options.add("logistic.C", c_, Accepts::above(0), "grid: weight of the loss against the penalty");
    if (c_.empty()) options.fail("logistic.C", "is empty: expected at least one value");
  }

  std::vector<Setting> settings() const override {
    std::vector<Setting> result;
    for (const double c : c_) result.push_back({{"C", c}});
    return result;
  }

  GridOutcome fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const override {
    std::vector<double> ascending = c_;
    std::ranges::sort(ascending);
    const std::vector<Matrix> weights = weights_along(train, ascending);
    GridOutcome outcome;
    for (const double c : c_) {
      const auto place = to_size(std::ranges::find(ascending, c) - ascending.begin());
      outcome.scores.push_back(decision_values(validation, weights[place]));
    }
    outcome.computed = std::ssize(c_);
    return outcome;
  }

  std::unique_ptr<Model> fit(const Samples& train, const Setting& setting, Key /*key*/) const override {
    return std::make_unique<LinearModel>(weights_along(train, {std::get<double>(setting.at("C"))}).front());
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    return LinearModel::load(group, layout, classes);
  }

  bool scores_are_probabilities() const override { return false; }

 private:
  std::vector<double> c_ = {0.01, 1, 100};
};

}  // namespace

std::unique_ptr<Classifier> make_logistic() {
  return std::make_unique<Logistic>();
}

}  // namespace lrid::learn
