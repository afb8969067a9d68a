#include "identify/split_plan.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

#include "synthetic.hpp"

namespace lrid::identify {
namespace {

/// 2 architectures × 4 rules × 8 networks of 4 or 5 layers: 288 samples, 72 of each rule.
struct Fixture {
  io::Dataset data = testing::tiny_dataset(8, 1);
  Metadata metadata{data.meta};
  Rows everything = Filter().rows(metadata);
  Target target = Target::of(metadata, "learning_rule", everything);

  SplitPlan make(const SplitRequest& request, std::uint64_t seed = 0) const {
    return SplitPlan::make(request, metadata, target, Key(seed));
  }
  std::map<int, int> classes(const Rows& rows) const {
    std::map<int, int> count;
    for (const std::int64_t row : rows) ++count[target.labels[to_size(row)]];
    return count;
  }
  std::set<std::string> networks(const Rows& rows) const {
    std::set<std::string> names;
    for (const std::int64_t row : rows) names.insert(data.meta.network[to_size(row)]);
    return names;
  }
};

TEST(Target, ClassesInNaturalOrder) {
  const Fixture f;
  EXPECT_THAT(f.target.classes, ::testing::ElementsAre("adam", "fa", "ia", "sgdm"));
  EXPECT_THAT(f.metadata.values("layer_position", f.everything),
              ::testing::ElementsAre("early", "middle", "deep"));
  EXPECT_THAT(f.metadata.values("batch_size", f.everything), ::testing::ElementsAre("32", "64"));
}

TEST(Filter, CombinesTerms) {
  const Fixture f;
  const Filter filter = Filter().only("architecture", {"KNet5"}).without("learning_rule", {"fa", "ia"});
  EXPECT_EQ(filter.rows(f.metadata).size(), 2U * 8 * 5);
  EXPECT_EQ(filter.describe(), "architecture is KNet5, learning_rule is not fa or ia");
}

TEST(SampleSplits, SizesAreThoseOfTheProtocol) {
  const Fixture f;
  const SplitPlan plan =
      f.make({.kind = SplitKind::sample, .splits = 3, .inner_folds = 5, .train = {}, .test = {}});
  ASSERT_EQ(plan.splits.size(), 3U);
  for (const Split& split : plan.splits) {
    EXPECT_THAT(f.classes(split.test), ::testing::Each(::testing::Pair(::testing::_, 18)));   // ⌊72 / 4⌋
    EXPECT_THAT(f.classes(split.train), ::testing::Each(::testing::Pair(::testing::_, 54)));  // 3 · 18
    // Stratified: each inner fold has 10 or 11 of each class.
    std::map<std::pair<int, int>, int> count;
    for (std::size_t i = 0; i < split.train.size(); ++i)
      ++count[{split.inner[i], f.target.labels[to_size(split.train[i])]}];
    EXPECT_EQ(count.size(), 20U);
    EXPECT_THAT(count, ::testing::Each(::testing::Pair(::testing::_, ::testing::AnyOf(10, 11))));
  }
  EXPECT_NE(plan.splits[0].test, plan.splits[1].test);
}

TEST(SampleSplits, TrainingIsThreeTimesTestingAlsoForUnevenClasses) {
  const Fixture f;
  const Filter filter = Filter().without("network", {"KNet4/fa/0", "KNet5/fa/3"});  // 72 − 9 = 63 of fa
  const SplitPlan plan =
      f.make({.kind = SplitKind::sample, .splits = 2, .inner_folds = 5, .train = filter, .test = filter});
  for (const Split& split : plan.splits) {
    EXPECT_EQ(split.test.size(), 4U * 15);
    EXPECT_EQ(split.train.size(), 4U * 45);
  }
}

TEST(SampleSplits, DisjointPoolsAreUsedWhole) {
  const Fixture f;
  for (const SplitKind kind : {SplitKind::sample, SplitKind::network}) {
    const SplitPlan plan = f.make({.kind = kind,
                                   .splits = 2,
                                   .inner_folds = 5,
                                   .train = Filter().without("architecture", {"KNet5"}),
                                   .test = Filter().only("architecture", {"KNet5"})});
    for (const Split& split : plan.splits) {
      EXPECT_EQ(split.test.size(), 4U * 40);
      EXPECT_EQ(split.train.size(), 4U * 32);
    }
  }
}

TEST(NetworkSplits, NoNetworkOnBothSidesAndEveryArchitectureOnEach) {
  const Fixture f;
  const SplitPlan plan =
      f.make({.kind = SplitKind::network, .splits = 5, .inner_folds = 5, .train = {}, .test = {}});
  for (const Split& split : plan.splits) {
    const std::set<std::string> train = f.networks(split.train), test = f.networks(split.test);
    EXPECT_EQ(test.size(), 4U * 2 * 2);  // a quarter of 8 in each of the 8 strata
    EXPECT_EQ(train.size(), 4U * 2 * 6);
    EXPECT_EQ(split.test.size(), 16U / 2 * (4 + 5));
    for (const std::string& name : test) EXPECT_FALSE(train.contains(name));
    // Inner folds are grouped as well.
    std::map<std::string, std::set<int>> folds;
    for (std::size_t i = 0; i < split.train.size(); ++i)
      folds[f.data.meta.network[to_size(split.train[i])]].insert(split.inner[i]);
    for (const auto& [name, of_network] : folds) EXPECT_EQ(of_network.size(), 1U) << name;
  }
}

TEST(NetworkSplits, FewNetworksAStratumStillGiveAQuarterOfAClass) {
  const io::Dataset data = testing::tiny_dataset(2, 1);  // 2 per stratum, 4 per class
  const Metadata metadata(data.meta);
  const Target target = Target::of(metadata, "learning_rule", Filter().rows(metadata));
  const SplitPlan plan =
      SplitPlan::make({.kind = SplitKind::network, .splits = 4, .inner_folds = 2, .train = {}, .test = {}},
                      metadata, target, Key(0));
  for (const Split& split : plan.splits) {
    std::set<std::string> networks;
    for (const std::int64_t row : split.test) networks.insert(data.meta.network[to_size(row)]);
    EXPECT_EQ(networks.size(), 4U);
  }
}

TEST(NetworkSplits, PoolsThatShareNetworksNotSamplesDoNotStraddle) {
  const Fixture f;
  const SplitPlan plan = f.make({.kind = SplitKind::network,
                                 .splits = 2,
                                 .inner_folds = 5,
                                 .train = Filter().only("layer_position", {"early"}),
                                 .test = Filter().only("layer_position", {"deep"})});
  for (const Split& split : plan.splits) {
    EXPECT_FALSE(split.test.empty());
    for (const std::string& name : f.networks(split.test))
      EXPECT_FALSE(f.networks(split.train).contains(name));
  }
}

TEST(SplitPlan, RepeatsWithTheKeyAndOnlyWithIt) {
  const Fixture f;
  for (const SplitKind kind : {SplitKind::sample, SplitKind::network}) {
    const SplitRequest request{.kind = kind, .splits = 1, .inner_folds = 5, .train = {}, .test = {}};
    const Split a = f.make(request, 1).splits[0], b = f.make(request, 1).splits[0],
                c = f.make(request, 2).splits[0];
    EXPECT_EQ(a.train, b.train);
    EXPECT_EQ(a.test, b.test);
    EXPECT_EQ(a.inner, b.inner);
    EXPECT_NE(a.test, c.test);
  }
}

TEST(SplitPlan, ValidationSeesEveryKindOfFault) {
  const Fixture f;
  const SplitPlan good =
      f.make({.kind = SplitKind::network, .splits = 1, .inner_folds = 5, .train = {}, .test = {}});
  const auto broken = [&](auto change) {
    SplitPlan plan = good;
    change(plan.splits[0]);
    EXPECT_THROW(plan.validate(f.metadata, f.target), std::logic_error);
  };
  EXPECT_NO_THROW(good.validate(f.metadata, f.target));
  broken([](Split& split) { split.test.pop_back(); });                               // unbalanced
  broken([](Split& split) { split.test = split.train; });                            // overlapping
  broken([](Split& split) { split.inner.pop_back(); });                              // a fold missing
  broken([](Split& split) { split.inner[0] = (split.inner[0] + 1) % 5; });           // a network in two folds
  broken([](Split& split) { std::swap(split.train.front(), split.train.back()); });  // out of order
  broken([](Split& split) { split.train[1] = split.train[0]; });                     // twice
  // A layer of a training network on the test side, in exchange for one of the same class.
  broken([&](Split& split) {
    const auto label = [&](std::int64_t row) { return f.target.labels[to_size(row)]; };
    for (std::int64_t& row : split.test)
      if (label(row) == label(split.train[0])) {
        std::swap(row, split.train[0]);
        break;
      }
    std::ranges::sort(split.train);
    std::ranges::sort(split.test);
  });
}

void expect_bad_input(const std::string& part, const auto& action) {
  try {
    action();
    FAIL() << "expected: " << part;
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
  }
}

TEST(SplitPlan, SaysWhatIsWrongWithThePools) {
  const Fixture f;
  for (const SplitKind kind : {SplitKind::sample, SplitKind::network}) {
    const auto make = [&](const Filter& train, const Filter& test, int folds = 5) {
      return f.make({.kind = kind, .splits = 1, .inner_folds = folds, .train = train, .test = test});
    };
    expect_bad_input("none has architecture is ResNet",
                     [&] { make(Filter().only("architecture", {"ResNet"}), {}); });
    expect_bad_input("no samples of learning_rule fa",
                     [&] { make({}, Filter().without("learning_rule", {"fa"})); });
    expect_bad_input("inner folds", [&] { make({}, {}, 300); });
  }
}

}  // namespace
}  // namespace lrid::identify
