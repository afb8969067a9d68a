#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::stats {
namespace {

TEST(Imperfection, KeepsTheCeilingOfTheFraction) {
  EXPECT_EQ(kept_count(7, 0.5), 4);
  EXPECT_EQ(kept_count(100, 0.07), 7);  // 0.07·100 = 7.000000000000001
  EXPECT_EQ(kept_count(30, 0.1), 3);
  EXPECT_EQ(kept_count(10, 0.001), 1);
  EXPECT_EQ(kept_count(10, 1.0), 10);
  EXPECT_EQ(kept_count(0, 0.5), 0);
}

std::vector<std::int64_t> kept(const UnitSubset& subset) {
  std::vector<std::int64_t> units;
  for (std::int64_t i = 0; i < subset.size(); ++i)
    if (subset[i]) units.push_back(i);
  return units;
}

TEST(UnitSubset, KeepsAsManyAsItSaysAndDependsOnTheSeed) {
  for (const std::int64_t n : {1, 7, 8, 100, 5000, 100003})
    for (const double fraction : {0.0001, 0.1, 0.5, 0.999, 1.0}) {
      const UnitSubset subset(n, kept_count(n, fraction), 3);
      EXPECT_EQ(subset.count(), kept_count(n, fraction));
      EXPECT_EQ(std::ssize(kept(subset)), subset.count()) << n << " " << fraction;
      EXPECT_EQ(kept(subset), kept(UnitSubset(n, kept_count(n, fraction), 3)));
      if (fraction == 0.5 && n >= 100) {
        EXPECT_NE(kept(subset), kept(UnitSubset(n, kept_count(n, fraction), 4)));
      }
    }
}

TEST(UnitSubset, SmallerCountsKeepASubset) {
  const auto many = kept(UnitSubset(1000, 500, 3)), few = kept(UnitSubset(1000, 30, 3));
  EXPECT_TRUE(std::ranges::includes(many, few));
}

TEST(UnitSubset, KeepsThoseWithTheSmallestHashes) {
  const UnitSubset subset(500, 100, 6);
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  for (std::int64_t unit = 0; unit < 500; ++unit) order.emplace_back(UnitSubset::hash(500, 6, unit), unit);
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(subset[order[i].second], i < 100);
}

TEST(UnitSubset, EveryUnitIsKeptEquallyOften) {
  // 4,000 seeds, each unit kept with probability 0.3: five standard deviations around 1,200.
  std::vector<int> times(20);
  for (std::uint64_t seed = 0; seed < 4000; ++seed)
    for (const std::int64_t unit : kept(UnitSubset(20, 6, seed))) ++times[static_cast<std::size_t>(unit)];
  for (const int count : times) EXPECT_NEAR(count, 1200, 5 * std::sqrt(4000 * 0.3 * 0.7));
}

TEST(UnitSubset, ChannelsLastMeansTheSameUnits) {
  const UnitOrder order = UnitOrder::channels_last(3, 5);
  const UnitSubset canonical(30, 12, 9), memory(30, 12, 9, order);
  for (std::int64_t outer = 0; outer < 2; ++outer)
    for (std::int64_t channel = 0; channel < 3; ++channel)
      for (std::int64_t position = 0; position < 5; ++position) {
        const std::int64_t c = (outer * 3 + channel) * 5 + position, m = (outer * 5 + position) * 3 + channel;
        EXPECT_EQ(order.memory_index(c), m);
        EXPECT_EQ(order.canonical_index(m), c);
        EXPECT_EQ(canonical[c], memory[m]);
      }
}

TEST(Imperfection, CountsUnitsAbsolutelyOrByFraction) {
  EXPECT_EQ((Imperfection{.unit_fraction = 0.3}).kept(10), 3);
  EXPECT_EQ((Imperfection{.units = 4}).kept(10), 4);
  EXPECT_EQ((Imperfection{.units = 400}).kept(10), 10) << "all of a smaller layer";
  EXPECT_FALSE((Imperfection{.units = 400}).perfect());
}

TEST(Imperfection, DrawsSubsetsForEachNetworkWhereAsked) {
  const Imperfection shared{.unit_fraction = 0.5, .seed = 3};
  EXPECT_EQ(shared.subset_seed(), 3U) << "as it always was";
  Imperfection first = shared, second = shared;
  first.network = 7;
  second.network = 8;
  EXPECT_NE(first.subset_seed(), second.subset_seed());
  EXPECT_FALSE(first.sees_the_same_units(second));
  second.network = 7;
  second.noise = 1;
  EXPECT_TRUE(first.sees_the_same_units(second));
}

TEST(ImperfectionGrid, IsTheProductOfUnitsAndNoise) {
  const ImperfectionGrid grid{.unit_fraction = {0.5},
                              .units = {30},
                              .noise = {0, 2},
                              .noise_unit = NoiseUnit::relative,
                              .subsets_per_network = true,
                              .seed = 9};
  const auto measurements = grid.measurements(11);
  ASSERT_EQ(measurements.size(), 4U);
  EXPECT_EQ(
      measurements[1],
      (Imperfection{
          .unit_fraction = 0.5, .noise = 2, .seed = 9, .noise_unit = NoiseUnit::relative, .network = 11}));
  EXPECT_EQ(measurements[2].units, 30);
  EXPECT_EQ(measurements[2].noise, 0);
  EXPECT_EQ((ImperfectionGrid{.noise = {1}}).measurements(11).front().network, 0U);
  EXPECT_THROW(static_cast<void>((ImperfectionGrid{.units = {0}}).measurements(1)), InputError);
  EXPECT_THROW(static_cast<void>((ImperfectionGrid{.noise = {-1}}).measurements(1)), InputError);
  EXPECT_THROW(noise_unit_of("percent"), InputError);
}

TEST(Imperfection, IsValidated) {
  for (const double fraction : {0.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THROW((Imperfection{.unit_fraction = fraction}).validate(), InputError) << fraction;
  for (const double noise : {-1.0, std::numeric_limits<double>::infinity()})
    EXPECT_THROW((Imperfection{.noise = noise}).validate(), InputError) << noise;
  EXPECT_NO_THROW(Imperfection{}.validate());
}

}  // namespace
}  // namespace lrid::stats
