#include "linear_svm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/parallel.hpp>

#include "classifiers.hpp"
#include "grid.hpp"
#include "kernels/dense.hpp"
#include "kernels/hinge.hpp"
#include "linear_model.hpp"
#include "pca.hpp"

namespace lrid::learn {

namespace {

constexpr double svm_tolerance = 1e-8;

Eigen::Index padded(Eigen::Index columns) {
  return (columns + 3) / 4 * 4;
}

/// A point of a problem: weights and what follows from them.
struct HingePoint {
  Eigen::VectorXd w;       // [vector_size]
  Eigen::VectorXd output;  // [n] x·w
  Eigen::VectorXd sum;     // [vector_size] Σ y_i l_i x_i with l = max(0, 1 − y∘output)
  double loss = 0;         // Σ l_i²

  [[nodiscard]] double objective(double c) const { return w.squaredNorm() / 2 + c * loss; }
  [[nodiscard]] Eigen::VectorXd gradient(double c) const { return w - 2 * c * sum; }
};

/// A one-vs-rest problem, with its current point and the end of the step under consideration.
struct HingeProblem {
  int positive;
  Eigen::VectorXd y;  // [n] ±1
  HingePoint at, trial;
  std::vector<char> active = {};  // [n] rows in the Gram matrix
  std::vector<double> gram = {};  // [width, width] Σ over these of x_i x_iᵀ, lower triangle
  double bound = 0;               // on the excess of f over its minimum
  double gap = 0;                 // the same relative to the minimum
  int steps = 0;

  void certify(double c) {
    const double objective = at.objective(c);
    bound = at.gradient(c).squaredNorm() / 2;  // f is 1-strongly convex
    gap = bound < objective ? bound / (objective - bound) : std::numeric_limits<double>::infinity();
  }
};

/// The one-vs-rest problems of several classes, solved side by side so that rows are read once for all.
class OneVsRest {
 public:
  /// `x`: [n, a multiple of 4]; `positive`: the label of each problem's class.
  OneVsRest(const Matrix& x, const std::vector<int>& labels, const std::vector<int>& positive)
      : x_(x), labels_(labels) {
    for (const int label : positive) {
      HingeProblem& problem =
          problems_.emplace_back(HingeProblem{.positive = label, .y = {}, .at = {}, .trial = {}});
      problem.y.resize(x.rows());
      for (Eigen::Index i = 0; i < x.rows(); ++i) problem.y(i) = labels[to_size(i)] == label ? 1 : -1;
    }
  }

  /// Sets the number of leading columns in use; points must be set again.
  void set_width(Eigen::Index width) {
    width_ = width;
    for (HingeProblem& problem : problems_) {
      problem.active.assign(to_size(x_.rows()), 0);
      problem.gram.assign(to_size(width_ * width_), 0.0);
    }
  }

  /// Moves problems to the points trial.w.
  void move(const std::vector<std::size_t>& which) {
    evaluate(which);
    for (const std::size_t k : which) std::swap(problems_[k].at, problems_[k].trial);
  }

  /// Solves all problems from their current points until each is certified.
  void solve(double c, double tolerance) {
    std::vector<std::size_t> all(problems_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (HingeProblem& problem : problems_) problem.steps = 0;
    constexpr int few_steps = 40, max_steps = 200;
    const std::vector<std::size_t> open = newton(all, c, tolerance, few_steps);
    if (open.empty()) return;
    // If classes are almost separable and the penalty is small, about as many rows are active as there are
    // columns, and Newton's steps zigzag between the pieces of f. The solution's path over C has few bends
    // there: follow it.
    constexpr double rung = 2, loosely = 1e-3;
    for (const std::size_t k : open) problems_[k].trial.w = Eigen::VectorXd::Zero(vector_size());
    move(open);
    for (double below = std::min(1.0, c / rung); below < c / rung; below *= rung)
      newton(open, below, loosely, max_steps);
    newton(open, c, tolerance, max_steps);
  }

  [[nodiscard]] std::vector<HingeProblem>& problems() { return problems_; }
  /// Size of the points' vectors; elements beyond the width stay 0.
  [[nodiscard]] Eigen::Index vector_size() const { return padded(width_); }

 private:
  /// Newton's method from the current points until each problem is certified or stuck in rounding, for
  /// `steps` steps at most. Returns the problems that need more.
  std::vector<std::size_t> newton(const std::vector<std::size_t>& which, double c, double tolerance,
                                  int steps) {
    std::vector<std::size_t> open, unfinished;
    for (const std::size_t k : which) {
      HingeProblem& problem = problems_[k];
      problem.certify(c);
      if (problem.gap > tolerance) open.push_back(k);
    }
    for (int step = 1; !open.empty(); ++step) {
      check_interrupt();
      parallel_each(open.size(), [&](std::size_t i) { newton_step(problems_[open[i]], c); });
      evaluate(open);
      // Accept a step that halves the gradient, or of about full length; end others at the exact minimum
      // along their line. Near the solution, f is flat to its last digit and only the gradient is
      // informative.
      std::vector<std::size_t> again;
      for (const std::size_t k : open) {
        HingeProblem& problem = problems_[k];
        if (problem.trial.gradient(c).squaredNorm() <= problem.at.gradient(c).squaredNorm() / 4) continue;
        const double t = line_minimum(problem, c);
        if (std::abs(t - 1) <= 0.25) continue;
        problem.trial.w = problem.at.w + t * (problem.trial.w - problem.at.w);
        again.push_back(k);
      }
      evaluate(again);
      std::erase_if(open, [&](std::size_t k) {
        HingeProblem& problem = problems_[k];
        std::swap(problem.at, problem.trial);
        const double last_bound = problem.bound;
        problem.certify(c);
        ++problem.steps;
        // A full Newton step within a piece of f is exact; if it does not improve, only rounding is left.
        const bool whole = std::ranges::find(again, k) == again.end();
        const bool stuck = whole && on_same_piece(problem) && !(problem.bound < last_bound / 2);
        if (problem.gap <= tolerance || stuck) return true;
        if (step == steps) unfinished.push_back(k);
        return step == steps;
      });
    }
    return unfinished;
  }

  /// Evaluates trial.w of all problems in a single pass over the rows.
  void evaluate(const std::vector<std::size_t>& which) {
    if (which.empty()) return;
    std::vector<int> positive;
    std::vector<const double*> weights;
    std::vector<double*> outputs;
    for (const std::size_t k : which) {
      HingePoint& trial = problems_[k].trial;
      trial.output.resize(x_.rows());
      positive.push_back(problems_[k].positive);
      weights.push_back(trial.w.data());
      outputs.push_back(trial.output.data());
    }
    const HingeBatch batch = {.x = x_.data(),
                              .stride = x_.cols(),
                              .width = vector_size(),
                              .labels = labels_.data(),
                              .count = std::ssize(which),
                              .positive = positive.data(),
                              .weights = weights.data(),
                              .outputs = outputs.data()};
    constexpr Eigen::Index chunk =
        2048;  // of rows; their sums are added in order, whatever the number of threads
    const Eigen::Index chunks = (x_.rows() + chunk - 1) / chunk;
    Eigen::MatrixXd loss(batch.count, chunks), sums(batch.count * batch.width, chunks);
    parallel_each(to_size(chunks), [&](std::size_t i) {
      const auto column = to_index(i);
      hinge_pass(batch, column * chunk, std::min((column + 1) * chunk, x_.rows()), loss.col(column).data(),
                 sums.col(column).data());
    });
    for (std::size_t i = 0; i < which.size(); ++i) {
      HingePoint& trial = problems_[which[i]].trial;
      const auto row = to_index(i);
      trial.loss = loss.row(row).sum();
      trial.sum = sums.middleRows(row * batch.width, batch.width).rowwise().sum();
      trial.sum.tail(batch.width - width_).setZero();
    }
  }

  /// Sets trial.w to the minimum of the quadratic that equals f around at.w.
  void newton_step(HingeProblem& problem, double c) {
    update_gram(problem);
    problem.trial.w = -problem.at.gradient(c);
    std::vector<double> scratch(problem.gram.size());
    solve_ridge(width_, problem.gram.data(), width_, 2 * c, scratch.data(), problem.trial.w.data());
    problem.trial.w += problem.at.w;
  }

  static bool is_active(const HingeProblem& problem, Eigen::Index row) {
    return 1 - problem.y(row) * problem.at.output(row) > 0;
  }

  /// Whether the same rows are active as when the Gram matrix was updated.
  static bool on_same_piece(const HingeProblem& problem) {
    for (Eigen::Index i = 0; i < problem.y.size(); ++i)
      if (is_active(problem, i) != (problem.active[to_size(i)] != 0)) return false;
    return true;
  }

  /// Adds and removes the rows that changed side, which are few from one step to the next.
  void update_gram(HingeProblem& problem) {
    std::vector<Eigen::Index> in, out, now;
    for (Eigen::Index i = 0; i < x_.rows(); ++i) {
      const bool active = is_active(problem, i);
      char& was = problem.active[to_size(i)];
      if (active) now.push_back(i);
      if (active != (was != 0)) (active ? in : out).push_back(i);
      was = active ? 1 : 0;
    }
    if (in.empty() && out.empty()) return;
    if (in.size() + out.size() < now.size()) {
      add_rows(problem, in, 1);
      add_rows(problem, out, -1);
    } else {
      std::ranges::fill(problem.gram, 0.0);
      add_rows(problem, now, 1);
    }
  }

  void add_rows(HingeProblem& problem, const std::vector<Eigen::Index>& rows, double sign) const {
    constexpr std::size_t at_a_time = 256;
    Matrix panel(std::min(at_a_time, rows.size()), width_);
    for (std::size_t begin = 0; begin < rows.size(); begin += at_a_time) {
      const std::size_t count = std::min(at_a_time, rows.size() - begin);
      for (std::size_t i = 0; i < count; ++i) panel.row(to_index(i)) = x_.row(rows[begin + i]).head(width_);
      add_gram(to_index(count), width_, panel.data(), width_, sign, problem.gram.data(), width_);
    }
  }

  /// The t that minimises f(at + t·(trial − at)). Its derivative is piecewise linear and increasing, so
  /// Newton's method within the bracket found so far ends after a few pieces.
  static double line_minimum(const HingeProblem& problem, double c) {
    const Eigen::VectorXd step = problem.trial.w - problem.at.w;
    const double along = problem.at.w.dot(step), square = step.squaredNorm();
    double t = 1, low = 0, high = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 60; ++i) {
      const HingeLine line = hinge_line(problem.y.size(), problem.y.data(), problem.at.output.data(),
                                        problem.trial.output.data(), t);
      const double slope = along + t * square + c * line.slope, curvature = square + c * line.curvature;
      (slope > 0 ? high : low) = t;
      double next = t - slope / curvature;
      if (!(next > low && next < high)) next = std::isinf(high) ? 2 * t : (low + high) / 2;
      const bool done = std::abs(next - t) <= 1e-9 * t;
      t = next;
      if (done) break;
    }
    return t;
  }

  const Matrix& x_;
  const std::vector<int>& labels_;
  std::vector<HingeProblem> problems_;
  Eigen::Index width_ = 0;
};

/// Solutions of all problems at one width for every C, from which the next width may start.
using Path = std::vector<std::vector<HingePoint>>;  // [C][problem]

/// Solves along a path over C (ascending). Starts at each C from the best of: the solution at the previous C;
/// that of a `narrower` width (if any) at this C; and the former plus the change of the latter.
Path path_over_c(OneVsRest& problems, Eigen::Index width, const std::vector<double>& c,
                 const Path& narrower) {
  problems.set_width(width);
  const auto widened = [&](const Eigen::VectorXd& w) {
    Eigen::VectorXd result = Eigen::VectorXd::Zero(problems.vector_size());
    result.head(w.size()) = w;
    return result;
  };
  Path path;
  for (std::size_t j = 0; j < c.size(); ++j) {
    std::vector<std::size_t> moving;
    for (std::size_t k = 0; k < problems.problems().size(); ++k) {
      HingeProblem& problem = problems.problems()[k];
      double best = std::numeric_limits<double>::infinity();
      const auto offer = [&](double objective, auto weights) {
        if (objective >= best) return;
        best = objective;
        problem.trial.w = weights();
        moving.push_back(k);
      };
      if (j > 0) best = problem.at.objective(c[j]);
      if (!narrower.empty()) {
        const HingePoint& there = narrower[j][k];
        offer(there.objective(c[j]), [&] { return widened(there.w); });
        if (j > 0) {
          const HingePoint& before = narrower[j - 1][k];
          const Eigen::VectorXd w = problem.at.w + widened(there.w) - widened(before.w);
          const Eigen::VectorXd output = problem.at.output + there.output - before.output;
          const double loss = (1 - problem.y.array() * output.array()).max(0.0).square().sum();
          offer(w.squaredNorm() / 2 + c[j] * loss, [&] { return w; });
        }
      } else if (j == 0) {
        offer(0, [&] { return widened({}); });
      }
    }
    moving.erase(std::unique(moving.begin(), moving.end()), moving.end());
    problems.move(moving);
    problems.solve(c[j], svm_tolerance);
    std::vector<HingePoint>& solutions = path.emplace_back();
    for (const HingeProblem& problem : problems.problems()) {
      solutions.push_back(problem.at);
      if (problem.gap > svm_tolerance)
        spdlog::warn("svm: C = {}, {} features: certified to {:.1e} of the optimum only", c[j], width,
                     problem.gap);
    }
  }
  return path;
}

/// The training samples in the problem's features: bias, constants, then principal components, so that any
/// number of components is a leading block of columns.
class Rotated {
 public:
  Rotated(const Samples& train, double largest_c) : pca_(train.series()), fixed_(1 + train.layout.constants) {
    // The penalty is invariant under rotation, so that all components are equivalent to no analysis; those
    // with 2Cσ² below this cannot change the certificate.
    constexpr double relevant = 1e-9;
    const Eigen::Index all = (2 * largest_c * pca_.singular_values().array().square() > relevant).count();
    all_ = fixed_ + std::max<Eigen::Index>(all, pca_.rank());
    x_ = Matrix::Zero(train.size(), padded(all_));
    x_.col(0).setOnes();
    x_.middleCols(1, fixed_ - 1) = train.constants();
    x_.middleCols(fixed_, all_ - fixed_) = pca_.scores().leftCols(all_ - fixed_);
  }

  [[nodiscard]] const Matrix& x() const { return x_; }
  [[nodiscard]] std::int64_t rank() const { return pca_.rank(); }
  /// Number of columns for a number of components; 0: no analysis.
  [[nodiscard]] Eigen::Index columns(std::int64_t components) const {
    return components == 0 ? all_ : std::min(all_, fixed_ + components);
  }
  /// Writes weights for the original columns, the bias first, into columns `first` … of `result`.
  void unrotate(const std::vector<HingePoint>& solutions, Matrix& result, Eigen::Index first) const {
    for (std::size_t k = 0; k < solutions.size(); ++k) {
      const Eigen::VectorXd& w = solutions[k].w;
      const Eigen::Index used = std::min(w.size(), all_) - fixed_;  // zero beyond the width
      auto column = result.col(first + to_index(k));
      column.head(fixed_) = w.head(fixed_);
      column.tail(pca_.components().rows()) = pca_.components().leftCols(used) * w.segment(fixed_, used);
    }
  }

 private:
  Pca pca_;
  Eigen::Index fixed_, all_ = 0;
  Matrix x_;
};

std::vector<int> each_class(const Samples& samples) {
  std::vector<int> classes(to_size(samples.classes));
  std::iota(classes.begin(), classes.end(), 0);
  return classes;
}

std::int64_t components_of(const Setting& setting) {
  const auto* components = std::get_if<std::int64_t>(&setting.at("pca"));
  return components == nullptr ? 0 : *components;
}

}  // namespace

SquaredHingeSolution solve_squared_hinge(const Eigen::Ref<const Matrix>& x, const Eigen::VectorXd& y,
                                         double c, const Eigen::VectorXd& start, double tolerance) {
  Matrix wide = Matrix::Zero(x.rows(), padded(x.cols()));
  wide.leftCols(x.cols()) = x;
  std::vector<int> labels;
  for (const double sign : y) labels.push_back(sign > 0 ? 1 : 0);
  OneVsRest problems(wide, labels, {1});
  problems.set_width(x.cols());
  HingeProblem& problem = problems.problems().front();
  problem.trial.w = Eigen::VectorXd::Zero(wide.cols());
  problem.trial.w.head(start.size()) = start;
  problems.move({0});
  problems.solve(c, tolerance);
  return {.w = problem.at.w.head(x.cols()),
          .objective = problem.at.objective(c),
          .gap = problem.gap,
          .steps = problem.steps};
}

namespace {

/// The classifier "svm": a one-vs-rest LinearModel. Grid: C × number of principal components (0: no PCA). PCA
/// acts on the series; constants and bias are prepended after it. As the penalty is invariant under rotation,
/// the problem without PCA is solved in the same rotated features, with all components that are not zero.
///
/// Classes are solved side by side in shared passes over the samples; every grid point starts from its
/// neighbours' solutions; and a Newton step's Gram matrix is updated by the samples that changed side.
class LinearSvm : public Classifier {
 public:
  void declare(Options& options) override {
    options.add("svm.C", c_, Accepts::above(0), "grid: weight of the loss against the penalty");
    options.add("svm.pca", pca_, Accepts::at_least(0), "grid: number of principal components, 0: no PCA");
    if (c_.empty()) options.fail("svm.C", "is empty: expected at least one value");
    if (pca_.empty()) options.fail("svm.pca", "is empty: expected at least one value");
  }

  std::vector<Setting> settings() const override {
    std::vector<Setting> result;
    for (const double c : c_)
      for (const std::int64_t components : pca_) {
        Setting setting = {{"C", c}};
        if (components == 0)
          setting["pca"] = std::string("none");
        else
          setting["pca"] = components;
        result.push_back(std::move(setting));
      }
    return result;
  }

  std::vector<std::string> notes() const override {
    const LinearSvm study;
    return grid_notes("svm", {{"C", grid_text(c_), grid_text(study.c_)},
                              {"principal components (0: no PCA)", grid_text(pca_), grid_text(study.pca_)}});
  }

  GridOutcome fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const override {
    std::vector<double> c = c_;
    std::ranges::sort(c);
    const Rotated rotated(train, c.back());
    std::vector<std::pair<Eigen::Index, std::size_t>> widths;  // columns, index into pca_
    for (std::size_t i = 0; i < pca_.size(); ++i)
      if (pca_[i] <= rotated.rank()) widths.emplace_back(rotated.columns(pca_[i]), i);
    std::ranges::sort(widths);

    GridOutcome outcome;
    outcome.scores.resize(c_.size() * pca_.size());
    OneVsRest problems(rotated.x(), train.labels, each_class(train));
    Path path;
    for (const auto& [columns, i] : widths) {
      path = path_over_c(problems, columns, c, path);
      Matrix weights(1 + train.x.cols(), std::ssize(c) * train.classes);
      for (std::size_t j = 0; j < c.size(); ++j)
        rotated.unrotate(path[j], weights, to_index(j) * train.classes);
      const Matrix values = decision_values(validation, weights);
      for (std::size_t j = 0; j < c_.size(); ++j) {
        const auto sorted = std::ranges::find(c, c_[j]) - c.begin();
        outcome.scores[j * pca_.size() + i] = values.middleCols(sorted * train.classes, train.classes);
      }
    }
    outcome.computed = static_cast<std::int64_t>(widths.size() * c_.size());
    outcome.skipped = std::ssize(outcome.scores) - outcome.computed;
    return outcome;
  }

  std::unique_ptr<Model> fit(const Samples& train, const Setting& setting, Key /*key*/) const override {
    // Follow the path up to the chosen C, since solutions for large ones are far from 0.
    const double chosen = std::get<double>(setting.at("C"));
    std::vector<double> c;
    for (const double value : c_)
      if (value < chosen) c.push_back(value);
    std::ranges::sort(c);
    c.push_back(chosen);
    const Rotated rotated(train, chosen);
    OneVsRest problems(rotated.x(), train.labels, each_class(train));
    // The rank cannot be below that of the inner folds, which are subsets of the training part.
    const Path path = path_over_c(problems, rotated.columns(components_of(setting)), c, {});
    Matrix weights(1 + train.x.cols(), train.classes);
    rotated.unrotate(path.back(), weights, 0);
    return std::make_unique<LinearModel>(std::move(weights));
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    return LinearModel::load(group, layout, classes);
  }

  bool scores_are_probabilities() const override { return false; }

 private:
  std::vector<double> c_ = {1, 50, 500, 5e3, 5e4, 5e5, 5e6};
  std::vector<std::int64_t> pca_ = {0, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 600};
};

}  // namespace

std::unique_ptr<Classifier> make_linear_svm() {
  return std::make_unique<LinearSvm>();
}

}  // namespace lrid::learn
