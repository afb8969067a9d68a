#include <algorithm>
#include <limits>
#include <set>

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

TEST(Imperfection, RanksAreAPermutationThatDependsOnTheSeed) {
  const auto ranks = unit_ranks(100, 3);
  EXPECT_EQ(std::set(ranks.begin(), ranks.end()).size(), 100U);
  EXPECT_EQ(*std::ranges::max_element(ranks), 99U);
  EXPECT_EQ(ranks, unit_ranks(100, 3));
  EXPECT_NE(ranks, unit_ranks(100, 4));
}

TEST(Imperfection, ChannelsLastMeansTheSameUnits) {
  const UnitOrder order = UnitOrder::channels_last(3, 5);
  const auto canonical = unit_ranks(30, 9), memory = unit_ranks(30, 9, order);
  for (std::int64_t outer = 0; outer < 2; ++outer)
    for (std::int64_t channel = 0; channel < 3; ++channel)
      for (std::int64_t position = 0; position < 5; ++position) {
        const std::int64_t c = (outer * 3 + channel) * 5 + position, m = (outer * 5 + position) * 3 + channel;
        EXPECT_EQ(order.memory_index(c), m);
        EXPECT_EQ(order.canonical_index(m), c);
        EXPECT_EQ(canonical[static_cast<std::size_t>(c)], memory[static_cast<std::size_t>(m)]);
      }
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
