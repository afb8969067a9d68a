#include "learn/logistic.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <lrid/learn/metrics.hpp>

#include "learn/classifiers.hpp"
#include "learn/linear_model.hpp"
#include "random_samples.hpp"

namespace lrid::learn {
namespace {

/// 60 samples, a bias and 4 features, 3 classes.
struct Case {
  Matrix x = Matrix::Ones(60, 5);
  std::vector<int> labels;

  Case() {
    for (int i = 0; i < 60; ++i) {
      for (int j = 0; j < 4; ++j) x(i, 1 + j) = std::sin(0.7 * i + 1.3 * j + 0.11 * i * j);
      const int label = x(i, 1) + 0.5 * x(i, 3) > 0.3 ? 0 : x(i, 2) > 0.2 ? 1 : 2;
      labels.push_back(i % 7 == 0 ? (label + 1) % 3 : label);
    }
  }
};

/// scikit-learn 1.x on the same samples: LogisticRegression(C=C, fit_intercept=False, solver='newton-cg',
/// tol=1e-13).coef_.T; the objective is evaluated there.
TEST(Logistic, IsScikitLearns) {
  struct Expected {
    double c, objective;
    double weights[5][3];
  };
  const Expected cases[] = {{0.1,
                             5.4660726247189615,
                             {{0.178449023, -0.125512544, -0.052936479},
                              {0.649865495, -0.242845037, -0.407020458},
                              {-0.056403979, 0.434041505, -0.377637526},
                              {0.18024333, -0.194460129, 0.014216799},
                              {0.010860595, 0.138999026, -0.149859621}}},
                            {10,
                             403.9865572501788,
                             {{0.259204513, -0.219878989, -0.039325524},
                              {1.749144063, -0.754295719, -0.994848345},
                              {-0.289181107, 1.384615162, -1.095434054},
                              {0.708559734, -0.717191979, 0.008632245},
                              {0.003405253, 0.529297707, -0.53270296}}},
                            {1000,
                             39908.13136035844,
                             {{0.2602223557, -0.2269060988, -0.03331625696},
                              {1.811681102, -0.7968020286, -1.014879074},
                              {-0.3147319007, 1.450789066, -1.136057165},
                              {0.7504997715, -0.7621515987, 0.01165182726},
                              {-0.001757144186, 0.56062191, -0.5588647659}}}};
  const Case data;
  for (const Expected& expected : cases) {
    const LogisticSolution solution =
        solve_logistic(data.x, data.labels, expected.c, Matrix::Zero(5, 3), 1e-16);
    EXPECT_NEAR(solution.objective, expected.objective, 1e-12 * expected.objective);
    for (int j = 0; j < 5; ++j)
      for (int k = 0; k < 3; ++k)
        EXPECT_NEAR(solution.weights(j, k), expected.weights[j][k], 5e-8) << expected.c;
  }
}

TEST(Logistic, CertifiesWhatItClaims) {
  const Case data;
  for (const double c : {1e-3, 1.0, 1e4}) {
    const double least = solve_logistic(data.x, data.labels, c, Matrix::Zero(5, 3), 1e-15).objective;
    for (const double tolerance : {1e-1, 1e-4, 1e-8}) {
      // A start so far away that steps of full length would not improve on it.
      const LogisticSolution solution = solve_logistic(
          data.x, data.labels, c, Matrix::Constant(5, 3, 30).cwiseProduct(Matrix::Random(5, 3)), tolerance);
      EXPECT_LE(solution.gap, tolerance) << c;
      EXPECT_LE(solution.objective / least - 1, solution.gap + 1e-13) << c;
    }
  }
}

TEST(Logistic, SolvesTheProblemThatItSays) {
  const Samples train = testing::random_samples(200, 4, 6, 3, 0.7, 1);
  Matrix x = Matrix::Ones(train.size(), 1 + train.x.cols());
  x.rightCols(train.x.cols()) = train.x;
  for (const double c : {0.01, 10.0}) {
    const LogisticSolution plain =
        solve_logistic(x, train.labels, c, Matrix::Zero(x.cols(), train.classes), 1e-14);
    const auto model = make_logistic()->fit(train, {{"C", c}}, Key(0));
    EXPECT_LE((dynamic_cast<LinearModel&>(*model).weights() - plain.weights).norm(),
              std::sqrt(2 * 1e-8 * plain.objective));  // what the certificate allows
  }
}

TEST(Logistic, GridAndFitAgreeForAnyNumberOfThreads) {
  const Samples train = testing::random_samples(1500, 4, 8, 2, 0.6, 2),
                test = testing::random_samples(400, 4, 8, 2, 0.6, 3);
  const auto classifier = make_logistic();
  GridOutcome outcomes[2];
  for (const std::size_t threads : {1U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    outcomes[threads / 4] = classifier->fit_grid(train, test, Key(0));
  }
  EXPECT_EQ(outcomes[0].computed, 3);
  const std::vector<Setting> settings = classifier->settings();
  for (std::size_t s = 0; s < settings.size(); ++s) {
    EXPECT_EQ(outcomes[0].scores[s], outcomes[1].scores[s]);
    const std::vector<int> predicted = predicted_classes(outcomes[0].scores[s]);
    EXPECT_GT(accuracy(predicted, test.labels), 0.6);
    EXPECT_GT(
        accuracy(predicted, predicted_classes(classifier->fit(train, settings[s], Key(0))->scores(test))),
        0.99);
  }
}

}  // namespace
}  // namespace lrid::learn
