#include <algorithm>
#include <numeric>

#include <Eigen/Cholesky>

#include <lrid/classify/linear_svm.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>

#include "grid.hpp"
#include "parallel.hpp"

namespace lrid::classify {

namespace {

/// Σ_{i active} x_i x_iᵀ (lower triangle), kept by adding and removing the rows that changed side: from one
/// Newton step to the next these are few.
class ActiveGram {
 public:
  explicit ActiveGram(const Eigen::Ref<const Matrix>& x)
      : x_(x),
        active_(static_cast<std::size_t>(x.rows()), false),
        gram_(Eigen::MatrixXd::Zero(x.cols(), x.cols())) {}

  /// Whether anything changed.
  bool update(const Eigen::VectorXd& slack) {
    std::vector<Eigen::Index> in, out;
    for (Eigen::Index i = 0; i < slack.size(); ++i) {
      const bool now = slack(i) > 0;
      if (now == active_[static_cast<std::size_t>(i)]) continue;
      (now ? in : out).push_back(i);
      active_[static_cast<std::size_t>(i)] = now;
    }
    add(in, 1.0);
    add(out, -1.0);
    return !in.empty() || !out.empty();
  }

  [[nodiscard]] const Eigen::MatrixXd& lower() const { return gram_; }

 private:
  void add(const std::vector<Eigen::Index>& rows, double sign) {
    if (rows.empty()) return;
    Eigen::MatrixXd columns(x_.cols(), static_cast<Eigen::Index>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
      columns.col(static_cast<Eigen::Index>(i)) = x_.row(rows[i]).transpose();
    gram_.selfadjointView<Eigen::Lower>().rankUpdate(columns, sign);
  }

  Eigen::Ref<const Matrix> x_;
  std::vector<bool> active_;
  Eigen::MatrixXd gram_;
};

/// The minimiser over t ≥ 0 of f(w + t·p), where slack = 1 − y∘(Xw) and a = y∘(Xp). The derivative is
/// piecewise linear and increasing: walk along its kinks to the piece that crosses zero.
double exact_step(const Eigen::VectorXd& w, const Eigen::VectorXd& p, const Eigen::VectorXd& slack,
                  const Eigen::VectorXd& a, double c) {
  struct Kink {
    double t;
    Eigen::Index sample;
  };
  std::vector<Kink> kinks;
  double offset = w.dot(p), slope = p.squaredNorm();  // f′(t) = offset + slope·t on the current piece
  for (Eigen::Index i = 0; i < slack.size(); ++i) {
    const bool active = slack(i) > 0;
    if (active) {
      offset -= 2 * c * slack(i) * a(i);
      slope += 2 * c * a(i) * a(i);
    }
    if (active ? a(i) > 0 : a(i) < 0) kinks.push_back({slack(i) / a(i), i});
  }
  std::ranges::sort(kinks, {}, &Kink::t);
  for (const Kink& kink : kinks) {
    if (-offset <= slope * kink.t) break;
    const double sign = a(kink.sample) > 0 ? -1 : 1;  // leaves or enters
    offset -= sign * 2 * c * slack(kink.sample) * a(kink.sample);
    slope += sign * 2 * c * a(kink.sample) * a(kink.sample);
  }
  return -offset / slope;
}

/// Bias, position and the scores on all components: the problem's features in leading blocks by width.
Matrix rotated_features(const Pca& pca, const Samples& samples) {
  const Eigen::Index position = samples.layout.position_columns();
  const Matrix scores = pca.apply(samples.continuous());
  Matrix features(samples.size(), 1 + position + scores.cols());
  features.col(0).setOnes();
  features.middleCols(1, position) = samples.position();
  features.rightCols(scores.cols()) = scores;
  return features;
}

/// Weight vectors of all classes along a path over C (ascending), at one width: [C] of [width, classes].
/// Starts at `narrower`, the weights at the smallest C of a narrower width.
std::vector<Eigen::MatrixXd> path_over_c(const Eigen::Ref<const Matrix>& x, const Samples& train,
                                         const std::vector<double>& c, const Eigen::MatrixXd& narrower) {
  std::vector<Eigen::MatrixXd> weights(c.size(), Eigen::MatrixXd::Zero(x.cols(), train.classes));
  constexpr double tolerance = 1e-8;
  parallel_each(static_cast<std::size_t>(train.classes), [&](std::size_t column) {
    const auto k = static_cast<int>(column);
    Eigen::VectorXd y(x.rows());
    for (Eigen::Index i = 0; i < y.size(); ++i)
      y(i) = train.labels[static_cast<std::size_t>(i)] == k ? 1 : -1;
    Eigen::VectorXd start = Eigen::VectorXd::Zero(x.cols());
    if (narrower.size() > 0) start.head(narrower.rows()) = narrower.col(k);
    for (std::size_t j = 0; j < c.size(); ++j) {
      check_interrupt();
      SquaredHingeSolution solution = solve_squared_hinge(x, y, c[j], start, tolerance);
      if (solution.gap > tolerance)
        spdlog::warn("svm: C = {}, {} features: certified to {:.1e} of the optimum only", c[j], x.cols(),
                     solution.gap);
      weights[j].col(k) = solution.w;
      start = std::move(solution.w);
    }
  });
  return weights;
}

std::int64_t components_of(const Setting& setting) {
  const auto* components = std::get_if<std::int64_t>(&setting.at("pca"));
  return components == nullptr ? 0 : *components;
}

}  // namespace

SquaredHingeSolution solve_squared_hinge(const Eigen::Ref<const Matrix>& x, const Eigen::VectorXd& y,
                                         double c, Eigen::VectorXd start, double tolerance) {
  constexpr int max_steps = 200;
  SquaredHingeSolution solution{.w = std::move(start), .objective = 0, .gap = 0, .steps = 0};
  Eigen::VectorXd& w = solution.w;
  ActiveGram gram(x);
  Eigen::VectorXd output = x * w;
  double last_gap = std::numeric_limits<double>::infinity();
  for (;; ++solution.steps) {
    const Eigen::VectorXd slack = (1.0 - y.array() * output.array()).matrix();
    const Eigen::VectorXd loss = slack.cwiseMax(0.0);
    const Eigen::VectorXd gradient = w - 2 * c * (x.transpose() * y.cwiseProduct(loss));
    solution.objective = w.squaredNorm() / 2 + c * loss.squaredNorm();
    const double gap = gradient.squaredNorm() / 2;
    solution.gap =
        gap < solution.objective ? gap / (solution.objective - gap) : std::numeric_limits<double>::infinity();
    if (solution.gap <= tolerance || solution.steps == max_steps) break;
    // On the right piece of f one Newton step is exact; if the next brings nothing more, it is all rounding.
    if (!gram.update(slack) && gap > last_gap / 2) break;
    last_gap = gap;

    Eigen::MatrixXd hessian = 2 * c * gram.lower();
    hessian.diagonal().array() += 1.0;
    const Eigen::VectorXd step = Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>>(hessian).solve(-gradient);
    const Eigen::VectorXd change = x * step;
    w += exact_step(w, step, slack, y.cwiseProduct(change), c) * step;
    output = x * w;  // afresh: adding up changes would add up rounding errors
  }
  return solution;
}

Matrix LinearSvmModel::scores(const Samples& samples) const {
  return rotated_features(pca_, samples).leftCols(weights_.rows()) * weights_;
}

void LinearSvm::declare(Options& options) {
  options.add("svm.C", c_, Accepts::above(0), "grid: weight of the loss against the penalty");
  options.add("svm.pca", pca_, Accepts::at_least(0), "grid: principal components, 0: no PCA");
  if (c_.empty()) options.fail("svm.C", "is empty: expected at least one value");
  if (pca_.empty()) options.fail("svm.pca", "is empty: expected at least one value");
}

std::vector<Setting> LinearSvm::settings() const {
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

std::vector<std::string> LinearSvm::notes() const {
  const LinearSvm study;
  return grid_notes("svm", {{"C", grid_text(c_), grid_text(study.c_)},
                            {"principal components (0: no PCA)", grid_text(pca_), grid_text(study.pca_)}});
}

GridOutcome LinearSvm::fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const {
  const Pca pca(train.continuous());
  const Matrix x = rotated_features(pca, train), x_validation = rotated_features(pca, validation);
  const Eigen::Index fixed = 1 + train.layout.position_columns();

  std::vector<double> c = c_;
  std::ranges::sort(c);
  std::vector<std::pair<Eigen::Index, std::size_t>> widths;  // columns, index into pca_
  for (std::size_t i = 0; i < pca_.size(); ++i) {
    if (pca_[i] == 0)
      widths.emplace_back(x.cols(), i);
    else if (pca_[i] <= pca.rank())
      widths.emplace_back(fixed + pca_[i], i);
  }
  std::ranges::sort(widths);

  GridOutcome outcome;
  outcome.predicted.resize(c_.size() * pca_.size());
  Eigen::MatrixXd narrower;
  for (const auto& [columns, i] : widths) {
    const std::vector<Eigen::MatrixXd> weights = path_over_c(x.leftCols(columns), train, c, narrower);
    narrower = weights.front();
    for (std::size_t j = 0; j < c_.size(); ++j) {
      const auto sorted = static_cast<std::size_t>(std::ranges::find(c, c_[j]) - c.begin());
      outcome.predicted[j * pca_.size() + i] =
          predicted_classes(x_validation.leftCols(columns) * weights[sorted]);
    }
  }
  outcome.computed = static_cast<std::int64_t>(widths.size() * c_.size());
  outcome.skipped = static_cast<std::int64_t>(outcome.predicted.size()) - outcome.computed;
  return outcome;
}

std::unique_ptr<Model> LinearSvm::fit(const Samples& train, const Setting& setting, Key /*key*/) const {
  Pca pca(train.continuous());
  const Matrix x = rotated_features(pca, train);
  const std::int64_t components = components_of(setting);
  // Fewer components than inner folds had cannot be: the whole training part contains theirs.
  const Eigen::Index columns =
      components == 0 ? x.cols() : std::min(x.cols(), 1 + train.layout.position_columns() + components);
  // Along the path up to the chosen C: the large ones are far from 0.
  const double chosen = std::get<double>(setting.at("C"));
  std::vector<double> c;
  for (const double value : c_)
    if (value < chosen) c.push_back(value);
  std::ranges::sort(c);
  c.push_back(chosen);
  return std::make_unique<LinearSvmModel>(std::move(pca),
                                          path_over_c(x.leftCols(columns), train, c, {}).back());
}

}  // namespace lrid::classify
