#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/identify/uncertainty.hpp>

#include "identify/comparisons.hpp"

namespace lrid::identify {
namespace {

// Expected values are from a few lines of numpy and scipy.stats that follow the formulas:
//   x̄_c = Σ n_v x_v / Σ n_v over class c, N = Σ n_v, k_c networks of class c,
//   V_s = Σ_c k_c/(k_c−1) Σ_v (n_v (x_v − x̄_c))² / N²,  V = mean(V_s) (f + (1−f)/J),
//   n = A(1−A)/V, q = t.ppf(0.975, networks − classes),
//   interval (A + q²/2n ± q √(A(1−A)/n + q²/4n²)) / (1 + q²/n),  p = t.sf((A − c)/√(c(1−c)/n), df).

/// Two splits of four networks each, one of which is in both.
NetworkScores grouped() {
  return {.splits = {{{"a", 0, 4, 0.75}, {"b", 0, 4, 0.5}, {"c", 1, 5, 1}, {"d", 1, 5, 0.6}},
                     {{"e", 0, 4, 1}, {"b", 0, 4, 0.25}, {"c", 1, 5, 0.8}, {"f", 1, 4, 0.5}}},
          .overlap = 0.25};
}

/// Two splits that test the same networks.
NetworkScores held_out() {
  return {.splits = {{{"a", 0, 4, 0.75}, {"b", 0, 4, 0.5}, {"c", 1, 5, 1}, {"d", 1, 5, 0.6}},
                     {{"a", 0, 4, 0.25}, {"b", 0, 4, 0.5}, {"c", 1, 3, 1}, {"d", 1, 5, 0.4}}},
          .overlap = 1};
}

void expect_interval(const Interval& interval, double low, double high) {
  EXPECT_NEAR(interval[0], low, 1e-9);
  EXPECT_NEAR(interval[1], high, 1e-9);
}

TEST(Uncertainty, OfSplitsThatShareAQuarterOfTheirNetworks) {
  const auto mean = mean_over_networks(grouped());
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->mean, 0.684640522875817, 1e-12);  // (13/18 + 11/17)/2
  EXPECT_NEAR(mean->variance, 0.016476702336708105, 1e-12);
  EXPECT_EQ(mean->networks, 6);
  EXPECT_EQ(mean->degrees_of_freedom, 4);
  expect_interval(mean->interval(), 0.32531210424405455, 0.9071924508979652);
  EXPECT_NEAR(mean->p_above(0.5), 0.1261314365966885, 1e-9);
}

/// Repeating the same test networks adds nothing: splits count as one.
TEST(Uncertainty, SplitsOfTheSameNetworksCountAsOne) {
  const auto mean = mean_over_networks(held_out());
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->mean, 0.6176470588235294, 1e-12);
  EXPECT_NEAR(mean->variance, 0.01708744499978641, 1e-12);
  expect_interval(mean->interval(), 0.1764522230396276, 0.924122018682198);
  EXPECT_NEAR(mean->p_above(0.5), 0.2369822126496895, 1e-9);
  NetworkScores more;
  const NetworkScores same = held_out();
  for (int i = 0; i < 4; ++i)
    for (const auto& split : same.splits) more.splits.push_back(split);
  EXPECT_NEAR(mean_over_networks(more)->variance, mean->variance, 1e-12);
}

TEST(Uncertainty, IsNotStratifiedWhereAClassHasOneNetwork) {
  const auto mean =
      mean_over_networks({.splits = {{{"a", 0, 4, 0.75}, {"b", 1, 4, 0.25}, {"c", 2, 4, 1}}}, .overlap = 1});
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->variance, 0.048611111111111105, 1e-12);  // var([.75, .25, 1], ddof=1)/3
  EXPECT_EQ(mean->degrees_of_freedom, 1);
  expect_interval(mean->interval(), 0.012276053697040046, 0.9969024674689806);
}

/// All right, or a constant verdict: no variance, but eight networks are no proof of a perfect classifier.
TEST(Uncertainty, WithoutVarianceCountsNetworks) {
  NetworkScores scores{.splits = {{}}, .overlap = 1};
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"})
    scores.splits[0].push_back({name, name[0] < 'e' ? 0 : 1, 4, 1});
  const auto all_right = mean_over_networks(scores);
  ASSERT_TRUE(all_right);
  expect_interval(all_right->interval(), 0.5719442360546427, 1);
  EXPECT_NEAR(all_right->p_above(0.25), 0.0013568410175468977, 1e-9);
  for (NetworkScore& score : scores.splits[0]) score.mean = score.stratum == 0 ? 1 : 0;
  const auto constant = mean_over_networks(scores);
  EXPECT_EQ(constant->variance, 0);
  EXPECT_NEAR(constant->p_above(0.5), 0.5, 1e-12);
}

TEST(Uncertainty, NeedsTwoNetworks) {
  EXPECT_FALSE(mean_over_networks({.splits = {{{"a", 0, 4, 0.5}}, {{"a", 0, 4, 0.5}}}, .overlap = 1}));
  EXPECT_FALSE(mean_over_networks({.splits = {{}, {}}, .overlap = 0.25}));
  const io::Figure figure = with_uncertainty(io::Figure::of({0.5, 0.5}), std::nullopt, 0.25);
  EXPECT_FALSE(figure.interval || figure.p);
}

/// The spread over splits is no part of it: ten splits of a held-out design are as sure as one.
TEST(Uncertainty, GivesFiguresAnIntervalAndP) {
  const io::Figure figure = with_uncertainty(io::Figure::of({0.7, 0.6}), grouped(), 0.5);
  ASSERT_TRUE(figure.interval && figure.p);
  EXPECT_LT(figure.interval->front(), 0.5);
  EXPECT_GT(*figure.p, 0.05);
  EXPECT_EQ(figure.splits, (std::vector<double>{0.7, 0.6}));
  EXPECT_FALSE(with_uncertainty(io::Figure::of({0.7}), grouped()).p);
}

/// The jackknife of a mean is its variance; a stratum whose networks all splits share is not averaged over
/// them. By hand: 2/3 · ((−1)² + 1²) of the first, 1/2 · (1² + 1²) of the second, halved by two splits.
TEST(Jackknife, StratifiesAndCountsSharedNetworksOnce) {
  const LeaveOneOut split{{{1, 2, 3}, {4, 6}}};
  EXPECT_NEAR(jackknife_variance({split, split}, {1, 0}), 4.0 / 3 + 0.5, 1e-12);
  EXPECT_NEAR(jackknife_variance({split}, {0.3, 0.3}), 4.0 / 3 + 1, 1e-12);
  EXPECT_TRUE(std::isnan(jackknife_variance({{{{1, 2}, {3}}}}, {1, 1})));
  const std::vector<double> x = {0.2, 0.9, 0.4, 0.7};
  LeaveOneOut means{{{}}};
  for (const double left_out : x) means.strata[0].push_back((2.2 - left_out) / 3);
  EXPECT_NEAR(jackknife_variance({means}, {1}), 0.29 / 3 / 4, 1e-12);  // sample variance / n
}

TEST(Jackknife, IntervalIsStudents) {
  expect_interval(t_interval(1, 0.04, 10), 1 - 0.2 * 2.2281388519862744, 1 + 0.2 * 2.2281388519862744);
}

TEST(Difference, IsPairedOverNetworksAndSplits) {
  NetworkScores other = grouped();
  other.splits = {{{"a", 0, 4, 0.5}, {"b", 0, 4, 0.5}, {"c", 1, 5, 0.6}, {"d", 1, 5, 0.6}},
                  {{"e", 0, 4, 0.5}, {"b", 0, 4, 0.5}, {"c", 1, 5, 0.6}, {"f", 1, 4, 0.25}}};
  const auto found = difference(grouped(), other);
  ASSERT_TRUE(found && found->paired);
  EXPECT_NEAR(found->mean, 0.1715686274509804, 1e-12);
  expect_interval(found->interval, -0.16399968884386718, 0.507136943745828);
  EXPECT_NEAR(found->p, 0.22875593880889156, 1e-9);
  EXPECT_NEAR(difference(other, grouped())->mean, -found->mean, 1e-12);
  EXPECT_NEAR(difference(other, grouped())->p, found->p, 1e-12);
}

/// Held out against nothing held out: each network's mean over the splits that repeat it, against the splits
/// that do not.
TEST(Difference, OfDesignsThatShareNetworksOnly) {
  const auto found = difference(grouped(), held_out());
  ASSERT_TRUE(found && found->paired);
  EXPECT_NEAR(found->mean, -0.06944444444444445, 1e-12);
  expect_interval(found->interval, -0.23021359505325267, 0.09132470616436378);
  EXPECT_NEAR(found->p, 0.2041939486874283, 1e-9);
  EXPECT_EQ(found->networks, 4);
  EXPECT_NEAR(difference(held_out(), grouped())->mean, 0.06944444444444445, 1e-12);
}

TEST(Difference, OfDifferentNetworksIsNotPaired) {
  const NetworkScores other{
      .splits = {{{"u", 0, 4, 0.5}, {"v", 0, 4, 0.25}, {"w", 1, 4, 0.25}, {"x", 1, 4, 0}}}, .overlap = 1};
  const auto found = difference(grouped(), other);
  ASSERT_TRUE(found && !found->paired);
  EXPECT_NEAR(found->mean, 0.434640522875817, 1e-12);
  expect_interval(found->interval, -0.23592762672499523, 1.1052086724766292);
  EXPECT_NEAR(found->p, 0.10811916965857805, 1e-9);
}

TEST(Difference, WithoutVarianceIsASignTest) {
  EXPECT_EQ(difference(grouped(), grouped())->p, 1);
  NetworkScores better{.splits = {{}}, .overlap = 1}, worse = better;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    better.splits[0].push_back({name, 0, 4, 0.75});
    worse.splits[0].push_back({name, 0, 4, 0.5});
  }
  EXPECT_NEAR(difference(better, worse)->p, std::pow(2, -5), 1e-12);  // 2^(1−6)
  EXPECT_FALSE(difference({.splits = {{{"a", 0, 4, 1}}}, .overlap = 1}, better));
}

TEST(Holm, CorrectsForTheNumberOfTests) {
  // statsmodels.stats.multitest.multipletests(p, method="holm")
  const std::vector<double> corrected = holm({0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(corrected[i], expected[i], 1e-12);
  EXPECT_EQ(holm({0.9, 0.8}), (std::vector<double>{1, 1}));
  EXPECT_TRUE(holm({}).empty());
}

io::ResultRow row(const std::string& classifier, std::map<std::string, io::ConditionValue> condition,
                  const std::vector<std::int64_t>& correct) {
  io::ResultRow result;
  result.classifier = classifier;
  result.condition = std::move(condition);
  result.tested = std::make_shared<io::TestedNetworks>(
      io::TestedNetworks{{"a", "b", "c", "d"}, {0, 0, 1, 1}, {{0, 1, 2, 3}}, {{4, 4, 4, 4}}, 1});
  result.correct = {correct};
  return result;
}

TEST(Comparisons, AreMadeBetweenRowsThatDifferInOneThing) {
  const std::string network = "network", all = "all";
  const auto rows = std::vector{
      row("svm", {{"measure", all}, {"split", network}}, {4, 3, 4, 2}),
      row("forest", {{"measure", all}, {"split", network}}, {3, 3, 1, 2}),
      row("forest", {{"measure", std::string("weight")}, {"split", network}}, {1, 3, 1, 2}),
      row("forest", {{"measure", all}, {"split", std::string("sample")}}, {1, 3, 1, 2}),
      row("forest", {{"measure", all}, {"split", network}, {"held_out", std::string("KNet5")}}, {1, 0, 1, 0}),
      row("forest", {{"measure", all}, {"split", network}, {"position", std::int64_t{0}}}, {1, 0, 1, 0}),
      row("forest", {{"measure", all}, {"split", network}, {"noise", 0.0}, {"unit_fraction", 1.0}},
          {4, 4, 4, 3}),
      row("forest", {{"measure", all}, {"split", network}, {"noise", 1.0}, {"unit_fraction", 0.1}},
          {1, 2, 1, 2})};
  std::vector<std::string> found;
  for (const io::RowComparison& one : compare_rows(rows)) {
    found.push_back(one.about + " " + std::to_string(one.a) + " " + std::to_string(one.b));
    EXPECT_GE(one.p_holm, one.p);
    EXPECT_EQ(one.networks, 4);
  }
  EXPECT_THAT(found, ::testing::UnorderedElementsAre("classifier 0 1", "measure 1 2", "split 1 3",
                                                     "condition 5 1", "condition 7 6"));
  EXPECT_NEAR(compare_rows(rows).front().difference, 0.25, 1e-12);  // 13/16 − 9/16
  std::vector<io::ResultRow> old = rows;
  for (io::ResultRow& one : old) one.tested = nullptr;
  EXPECT_TRUE(compare_rows(old).empty());
}

}  // namespace
}  // namespace lrid::identify
