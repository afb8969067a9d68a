#include "learn/forest.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <lrid/core/index.hpp>

#include "learn/classifiers.hpp"
#include "random_samples.hpp"

namespace lrid::learn {
namespace {

double accuracy(const Model& model, const Samples& samples) {
  const std::vector<int> predicted = predicted_classes(model.scores(samples));
  double right = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == samples.labels[i] ? 1 : 0;
  return right / static_cast<double>(predicted.size());
}

/// One feature per sample, one point, no position.
Samples column(std::vector<double> values, std::vector<int> labels, int classes) {
  Samples samples;
  samples.layout = {.channels = 1, .points = 1};
  samples.x = Eigen::Map<Matrix>(values.data(), static_cast<Eigen::Index>(values.size()), 1);
  samples.labels = std::move(labels);
  samples.classes = classes;
  return samples;
}

TEST(Forest, TreesGrowUntilTheirLeavesArePure) {
  const Samples train =
      testing::random_samples(80, 4, 5, 2, 0.0, 1);  // nothing to learn: must be learnt by heart
  const Forest forest = Forest::grow(train, 5, MaxFeatures::sqrt, Key(1));
  for (const Tree& tree : forest.trees()) {
    for (const double share : tree.leaf_shares) EXPECT_TRUE(share == 0.0 || share == 1.0);
    EXPECT_GT(tree.nodes.size(), 20U);
  }
}

TEST(Forest, SamplesThatAreEqualShareALeaf) {
  const Samples train = column({1, 1, 1, 1, 2, 2, 2, 2}, {0, 0, 0, 1, 1, 1, 1, 1}, 2);
  const Matrix scores = Forest::grow(train, 200, MaxFeatures::all, Key(3)).scores(train);
  EXPECT_NEAR(scores(0, 0), 0.75, 0.06);  // bootstrap shares of 3 : 1
  EXPECT_GT(scores(4, 1), 0.98);          // 1 but for bootstraps without any of them
}

TEST(Forest, ThresholdsLieBetweenNeighbours) {
  const Samples train = column({0, 1, 2, 10, 11, 12}, {0, 0, 0, 1, 1, 1}, 2);
  const Forest forest = Forest::grow(train, 50, MaxFeatures::all, Key(4));
  for (const Tree& tree : forest.trees()) {
    if (tree.nodes.size() == 1) continue;  // a bootstrap of one class
    ASSERT_EQ(tree.nodes.size(), 3U);
    EXPECT_GE(tree.nodes[0].threshold, (0.0 + 10) / 2);
    EXPECT_LE(tree.nodes[0].threshold, (2.0 + 12) / 2);
  }
}

/// The least impurity (times weight) after a first split, by definition: every threshold of every feature.
double best_impurity(const Samples& train, const std::vector<double>& weight) {
  double best = 1e300;
  for (Eigen::Index c = 0; c < train.x.cols(); ++c)
    for (const double threshold : train.x.col(c)) {
      std::vector<double> count[2] = {std::vector<double>(4, 0.0), std::vector<double>(4, 0.0)};
      for (Eigen::Index i = 0; i < train.x.rows(); ++i)
        count[train.x(i, c) <= threshold ? 0 : 1][to_size(train.labels[to_size(i)])] += weight[to_size(i)];
      double impurity = 0;
      bool empty = false;
      for (const auto& side : count) {
        const double total = std::accumulate(side.begin(), side.end(), 0.0);
        empty |= total == 0;
        double squares = 0;
        for (const double n : side) squares += n * n;
        impurity += total - squares / std::max(total, 1.0);
      }
      if (!empty) best = std::min(best, impurity);
    }
  return best;
}

TEST(Forest, FirstSplitIsTheBestThereIs) {
  for (const std::int64_t n : {40, 400, 1500}) {  // in registers and in histograms
    Samples train = testing::random_samples(n, 4, 3, 2, 0.7, 5);
    train.x = (train.x * 8).array().round() / 8;  // with ties
    const Key key(6);
    const Forest forest = Forest::grow(train, 4, MaxFeatures::all, key);
    for (std::uint64_t t = 0; t < 4; ++t) {
      // The bootstrap, as the tree drew it.
      std::vector<double> weight(to_size(n), 0.0);
      Stream stream(key.with(t));
      for (std::int64_t i = 0; i < n; ++i) ++weight[stream.below(static_cast<std::uint64_t>(n))];
      const Tree::Node& root = forest.trees()[t].nodes[0];
      Samples only = train;
      only.x = train.x.col(root.feature);
      double squares[2] = {0, 0}, total[2] = {0, 0};
      for (int c = 0; c < 4; ++c) {
        double count[2] = {0, 0};
        for (Eigen::Index i = 0; i < n; ++i)
          if (train.labels[to_size(i)] == c)
            count[only.x(i, 0) <= root.threshold ? 0 : 1] += weight[to_size(i)];
        for (int s = 0; s < 2; ++s) {
          squares[s] += count[s] * count[s];
          total[s] += count[s];
        }
      }
      const double left = total[0] - squares[0] / total[0] + total[1] - squares[1] / total[1];
      EXPECT_NEAR(left, best_impurity(train, weight), 1e-9);
    }
  }
}

TEST(Forest, ContainsTheSmallerOnes) {
  const Samples train = testing::random_samples(60, 4, 4, 3, 1.0, 7),
                test = testing::random_samples(40, 4, 4, 3, 1.0, 8);
  const std::vector<Matrix> scores =
      Forest::scores_by_size(train, test, {3, 70, 100}, MaxFeatures::sqrt, Key(9));
  EXPECT_EQ(scores[0], Forest::grow(train, 3, MaxFeatures::sqrt, Key(9)).scores(test));
  EXPECT_EQ(scores[1], Forest::grow(train, 70, MaxFeatures::sqrt, Key(9)).scores(test));
  EXPECT_EQ(scores[2], Forest::grow(train, 100, MaxFeatures::sqrt, Key(9)).scores(test));
}

TEST(Forest, DoesNotDependOnTheNumberOfThreads) {
  const Samples train = testing::random_samples(600, 4, 4, 3, 1.0, 10);
  Matrix scores[2];
  for (const std::size_t threads : {1U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    scores[threads / 4] = Forest::grow(train, 30, MaxFeatures::log2, Key(11)).scores(train);
  }
  EXPECT_EQ(scores[0], scores[1]);
}

TEST(Forest, LearnsAndItsImportancesPointAtWhatMatters) {
  Samples train = testing::random_samples(400, 2, 6, 1, 0.0, 12),
          test = testing::random_samples(400, 2, 6, 1, 0.0, 13);
  for (Samples* samples : {&train, &test})  // an interaction that no linear classifier sees
    for (std::int64_t i = 0; i < samples->size(); ++i)
      samples->labels[to_size(i)] = samples->x(i, 4) * samples->x(i, 6) > 0 ? 1 : 0;
  const Forest forest = Forest::grow(train, 300, MaxFeatures::all, Key(14));
  EXPECT_GT(accuracy(forest, test), 0.9);
  const std::vector<double> importances = forest.importances();
  EXPECT_NEAR(std::accumulate(importances.begin(), importances.end(), 0.0), 1.0, 1e-12);
  EXPECT_GT(importances[4] + importances[6], 0.6);
}

TEST(Forest, RepeatedColumnsShareTheirImportance) {
  Samples train = testing::random_samples(200, 2, 4, 1, 0.0, 15);
  train.x.col(6) = train.x.col(3);
  for (std::int64_t i = 0; i < train.size(); ++i) train.labels[to_size(i)] = train.x(i, 3) > 0.2 ? 1 : 0;
  const std::vector<double> importances = Forest::grow(train, 400, MaxFeatures::all, Key(16)).importances();
  EXPECT_NEAR(importances[3], 0.5, 0.1);
  EXPECT_NEAR(importances[6], 0.5, 0.1);
}

TEST(Forest, ManyClassesAreSplitAsFewAre) {
  // More classes than the packed counts hold. The fifth is empty, so the trees must be the same.
  Samples few = testing::random_samples(500, 4, 4, 3, 0.5, 20), many = few;
  many.classes = 5;
  for (const MaxFeatures features : {MaxFeatures::sqrt, MaxFeatures::log2}) {
    const Forest a = Forest::grow(few, 5, features, Key(21)), b = Forest::grow(many, 5, features, Key(21));
    for (std::size_t t = 0; t < 5; ++t) {
      ASSERT_EQ(a.trees()[t].nodes.size(), b.trees()[t].nodes.size());
      EXPECT_EQ(a.trees()[t].nodes[0].threshold, b.trees()[t].nodes[0].threshold);
    }
    EXPECT_LT((a.scores(few) - b.scores(few).leftCols(4)).cwiseAbs().maxCoeff(), 1e-12);
  }
}

TEST(ForestClassifier, GridPredictionsAreThoseOfSingleFits) {
  Options options(Config::from_toml("[forest]\ntrees = [70, 5]\nmax_features = ['log2', 'all']\n", "grid"));
  const auto classifier = make_forest();
  classifier->declare(options);
  const Samples train = testing::random_samples(60, 3, 4, 2, 0.5, 17),
                test = testing::random_samples(50, 3, 4, 2, 0.5, 18);
  const GridOutcome outcome = classifier->fit_grid(train, test, Key(19));
  const std::vector<Setting> settings = classifier->settings();
  ASSERT_EQ(outcome.scores.size(), settings.size());
  for (std::size_t s = 0; s < settings.size(); ++s)
    EXPECT_EQ(predicted_classes(outcome.scores[s]),
              predicted_classes(classifier->fit(train, settings[s], Key(19))->scores(test)));
  EXPECT_EQ(classifier->notes().size(), 1U);
  EXPECT_TRUE(make_forest()->notes().empty());
}

}  // namespace
}  // namespace lrid::learn
