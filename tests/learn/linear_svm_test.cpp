#include "learn/linear_svm.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <lrid/core/index.hpp>
#include <lrid/learn/metrics.hpp>

#include "learn/classifiers.hpp"
#include "learn/linear_model.hpp"
#include "random_samples.hpp"

namespace lrid::learn {
namespace {

Eigen::VectorXd signs(const Samples& samples, int positive) {
  Eigen::VectorXd y(samples.size());
  for (Eigen::Index i = 0; i < y.size(); ++i) y(i) = samples.labels[to_size(i)] == positive ? 1 : -1;
  return y;
}

double objective(const Matrix& x, const Eigen::VectorXd& y, double c, const Eigen::VectorXd& w) {
  const Eigen::VectorXd slack = (1 - y.array() * (x * w).array()).cwiseMax(0).matrix();
  return w.squaredNorm() / 2 + c * slack.squaredNorm();
}

/// The dual, by exact coordinate descent: another algorithm on another problem with the same optimum.
/// max_α Σα − ½‖Σ α_i y_i x_i‖² − Σ α_i²/(4C), α ≥ 0 (Hsieh et al. 2008).
double dual_optimum(const Matrix& x, const Eigen::VectorXd& y, double c) {
  Eigen::VectorXd alpha = Eigen::VectorXd::Zero(x.rows()), w = Eigen::VectorXd::Zero(x.cols());
  for (int sweep = 0; sweep < 20000; ++sweep) {
    double moved = 0;
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      const double gradient = y(i) * x.row(i).dot(w) - 1 + alpha(i) / (2 * c);
      const double next = std::max(0.0, alpha(i) - gradient / (x.row(i).squaredNorm() + 1 / (2 * c)));
      w += (next - alpha(i)) * y(i) * x.row(i).transpose();
      moved = std::max(moved, std::abs(next - alpha(i)));
      alpha(i) = next;
    }
    if (moved < 1e-13) break;
  }
  return alpha.sum() - w.squaredNorm() / 2 - alpha.squaredNorm() / (4 * c);
}

TEST(SquaredHinge, ReachesTheOptimumOfTheDual) {
  const Samples samples = testing::random_samples(60, 3, 4, 3, 0.6, 1);
  const Eigen::VectorXd y = signs(samples, 0);
  for (const double c : {0.01, 1.0, 20.0}) {
    const SquaredHingeSolution solution =
        solve_squared_hinge(samples.x, y, c, Eigen::VectorXd::Zero(samples.x.cols()), 1e-12);
    const double optimum = dual_optimum(samples.x, y, c);
    EXPECT_NEAR(solution.objective / optimum, 1.0, 1e-9) << c;
    EXPECT_NEAR(solution.objective, objective(samples.x, y, c, solution.w), 1e-12 * optimum);
  }
}

TEST(SquaredHinge, CertificateHoldsOverTheWholeGridOfC) {
  // Overlapping classes (no separating plane), separable ones (more features than samples).
  for (const std::int64_t n : {300, 30}) {
    const Samples samples = testing::random_samples(n, 4, 6, 8, 0.3, 2);
    const Eigen::VectorXd y = signs(samples, 2);
    Eigen::VectorXd start = Eigen::VectorXd::Zero(samples.x.cols());
    for (const double c : {1.0, 50.0, 500.0, 5e3, 5e4, 5e5, 5e6}) {
      const SquaredHingeSolution solution = solve_squared_hinge(samples.x, y, c, start);
      EXPECT_LE(solution.gap, 1e-8) << c;
      EXPECT_LE(solution.steps, 60);
      // The certificate bounds the distance to a better solution.
      const SquaredHingeSolution better = solve_squared_hinge(samples.x, y, c, solution.w, 1e-14);
      EXPECT_LE(solution.objective - better.objective, 1e-8 * better.objective);
      // Any direction leads uphill.
      for (std::uint64_t d = 0; d < 5; ++d) {
        Eigen::VectorXd w = solution.w;
        for (Eigen::Index i = 0; i < w.size(); ++i)
          w(i) += 1e-2 * Key(3, "direction", {d}).normal(static_cast<std::uint64_t>(i));
        EXPECT_GE(objective(samples.x, y, c, w), solution.objective * (1 - 1e-8));
      }
      start = solution.w;
    }
  }
}

/// Near the minimum f is flat to its last digit, and only the gradient tells the right length of a step.
TEST(SquaredHinge, CertificateIsReachedWhereTheObjectiveSaysNothingMore) {
  Samples samples = testing::random_samples(3000, 4, 10, 4, 0.05, 12);
  samples.x.topRows(5) *= 1e4;  // heavy tails
  const Eigen::VectorXd y = signs(samples, 1);
  Eigen::VectorXd start = Eigen::VectorXd::Zero(samples.x.cols());
  for (const double c : {1.0, 50.0, 500.0, 5e3, 5e4, 5e5, 5e6}) {
    start = solve_squared_hinge(samples.x, y, c, start, 1e-12).w;
    for (std::uint64_t d = 0; d < 40; ++d) {
      const double distance = std::pow(10.0, -4 - 0.2 * static_cast<double>(d));
      Eigen::VectorXd near = start;
      for (Eigen::Index i = 0; i < near.size(); ++i)
        near(i) += distance * Key(13, "direction", {d}).normal(static_cast<std::uint64_t>(i));
      const SquaredHingeSolution solution = solve_squared_hinge(samples.x, y, c, near);
      EXPECT_LE(solution.gap, 1e-8) << c << ", from " << distance;
      EXPECT_LE(solution.steps, 5);
    }
  }
}

/// Columns of decreasing scale, as of principal components, and barely separable classes: at large C about as
/// many rows are active as there are columns.
TEST(SquaredHinge, CertificateIsReachedWhereClassesCanJustBeSeparated) {
  constexpr Eigen::Index d = 104;
  for (const Eigen::Index n : {190, 200})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Stream random{Key(seed)};
      Matrix x(n, d);
      for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = 0; j < d; ++j)
          x(i, j) = random.normal() * std::pow(0.97, static_cast<double>(j));
      Eigen::VectorXd y(n);
      for (Eigen::Index i = 0; i < n; ++i) y(i) = random.normal() > 0.7 ? 1 : -1;
      Eigen::VectorXd w = Eigen::VectorXd::Zero(d);
      for (const double c : {1.0, 5e6, 5e8}) {
        const SquaredHingeSolution solution = solve_squared_hinge(x, y, c, w);
        EXPECT_LE(solution.gap, 1e-8) << n << ", " << seed << ", " << c << ", steps " << solution.steps;
        EXPECT_NEAR(solution.objective, objective(x, y, c, solution.w), 1e-6 * solution.objective);
        w = solution.w;
      }
    }
}

TEST(SquaredHinge, WarmStartsDoNotChangeTheSolution) {
  const Samples samples = testing::random_samples(100, 2, 5, 4, 0.4, 4);
  const Eigen::VectorXd y = signs(samples, 1), zero = Eigen::VectorXd::Zero(samples.x.cols());
  const Eigen::VectorXd near = solve_squared_hinge(samples.x, y, 1, zero).w;
  EXPECT_LT((solve_squared_hinge(samples.x, y, 5, zero, 1e-14).w -
             solve_squared_hinge(samples.x, y, 5, near, 1e-14).w)
                .norm(),
            1e-6);
}

TEST(LinearSvm, WithoutPcaSolvesTheProblemInTheOriginalFeatures) {
  // More features than samples, and the other way around.
  for (const std::int64_t n : {24, 120}) {
    const Samples train = testing::random_samples(n, 3, 5, 8, 0.8, 5);
    const auto model = make_linear_svm()->fit(train, {{"C", 50.0}, {"pca", std::string("none")}}, Key(0));
    Matrix x(n, 1 + train.x.cols());
    x << Eigen::VectorXd::Ones(n), train.x;
    for (int k = 0; k < 3; ++k) {
      const SquaredHingeSolution direct =
          solve_squared_hinge(x, signs(train, k), 50.0, Eigen::VectorXd::Zero(x.cols()), 1e-12);
      const Eigen::VectorXd w = dynamic_cast<LinearModel&>(*model).weights().col(k);
      const Eigen::VectorXd y = signs(train, k);
      const Eigen::VectorXd slack =
          (1 - y.array() * model->scores(train).col(k).array()).cwiseMax(0).matrix();
      EXPECT_NEAR((w.squaredNorm() / 2 + 50.0 * slack.squaredNorm()) / direct.objective, 1.0, 1e-8);
      // The same on samples it has not seen.
      const Samples test = testing::random_samples(20, 3, 5, 8, 0.8, 6);
      Matrix z(20, 1 + test.x.cols());
      z << Eigen::VectorXd::Ones(20), test.x;
      EXPECT_LT((model->scores(test).col(k) - z * direct.w).cwiseAbs().maxCoeff(), 1e-3);
    }
  }
}

TEST(LinearSvm, GridPredictionsAreThoseOfSingleFits) {
  Options options(Config::from_toml("[svm]\nC = [50, 1, 5e6]\npca = [5, 0, 3, 400]\n", "grid"));
  const auto classifier = make_linear_svm();
  classifier->declare(options);
  const Samples train = testing::random_samples(90, 3, 4, 3, 0.8, 7),
                test = testing::random_samples(200, 3, 4, 3, 0.8, 8);
  const GridOutcome outcome = classifier->fit_grid(train, test, Key(0));
  const std::vector<Setting> settings = classifier->settings();
  EXPECT_EQ(outcome.computed, 9);
  EXPECT_EQ(outcome.skipped, 3);
  for (std::size_t s = 0; s < settings.size(); ++s) {
    if (settings[s].at("pca") == Hyperparameter(std::int64_t{400})) {
      EXPECT_EQ(outcome.scores[s].size(), 0);
      continue;
    }
    EXPECT_EQ(predicted_classes(outcome.scores[s]),
              predicted_classes(classifier->fit(train, settings[s], Key(0))->scores(test)));
  }
}

TEST(LinearSvm, ScoresAreOneVsRest) {
  const Samples train = testing::random_samples(300, 4, 8, 2, 1.5, 9),
                test = testing::random_samples(400, 4, 8, 2, 1.5, 10);
  const auto model = make_linear_svm()->fit(train, {{"C", 1.0}, {"pca", std::int64_t{12}}}, Key(0));
  const std::vector<int> predicted = predicted_classes(model->scores(test));
  EXPECT_GT(accuracy(predicted, test.labels), 0.85);
}

TEST(LinearSvm, DoesNotDependOnTheNumberOfThreads) {
  const Samples train = testing::random_samples(4500, 4, 4, 3, 0.5, 11);  // rows for several threads
  Matrix weights[2];
  for (const std::size_t threads : {1U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    const auto model = make_linear_svm()->fit(train, {{"C", 500.0}, {"pca", std::int64_t{10}}}, Key(0));
    weights[threads / 4] = dynamic_cast<LinearModel&>(*model).weights();
  }
  EXPECT_EQ(weights[0], weights[1]);
}

}  // namespace
}  // namespace lrid::learn
