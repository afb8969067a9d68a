#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include <lrid/data/data_order.hpp>

namespace lrid::data {
namespace {

std::vector<std::int64_t> samples_of(const DataOrder& order, std::int64_t step) {
  std::vector<std::int64_t> samples;
  for (const DataOrder::Place& place : order.batch(step)) samples.push_back(place.sample);
  return samples;
}

std::vector<std::uint64_t> keys_of(const DataOrder& order, std::int64_t step) {
  std::vector<std::uint64_t> keys;
  for (const DataOrder::Place& place : order.batch(step)) keys.push_back(place.key.value());
  return keys;
}

TEST(DataOrder, AnEpochTakesEverySampleOnceAndDropsARest) {
  const DataOrder order(103, 10, 7);
  EXPECT_EQ(order.steps_per_epoch(), 10);
  std::set<std::set<std::int64_t>> dropped;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    std::set<std::int64_t> seen;
    for (std::int64_t step = 0; step < 10; ++step)
      for (const std::int64_t sample : samples_of(order, epoch * 10 + step)) {
        EXPECT_TRUE(seen.insert(sample).second) << "twice in an epoch: " << sample;
        EXPECT_TRUE(0 <= sample && sample < 103);
      }
    EXPECT_EQ(seen.size(), 100U);
    std::set<std::int64_t> rest;
    for (std::int64_t i = 0; i < 103; ++i)
      if (!seen.contains(i)) rest.insert(i);
    dropped.insert(rest);
  }
  EXPECT_EQ(dropped.size(), 5U) << "the same samples dropped in two epochs";
}

TEST(DataOrder, IsAFunctionOfSeedAndStep) {
  const DataOrder forward(64, 8, 3);
  std::vector<std::vector<std::int64_t>> samples;
  std::vector<std::vector<std::uint64_t>> keys;
  for (std::int64_t step = 0; step < 40; ++step) {
    samples.push_back(samples_of(forward, step));
    keys.push_back(keys_of(forward, step));
  }
  const DataOrder again(64, 8, 3);
  for (std::int64_t step = 39; step >= 0; --step) {
    EXPECT_EQ(samples_of(again, step), samples[static_cast<std::size_t>(step)]);
    EXPECT_EQ(keys_of(again, step), keys[static_cast<std::size_t>(step)]);
  }
  EXPECT_NE(samples_of(DataOrder(64, 8, 4), 0), samples[0]);
  EXPECT_NE(keys_of(DataOrder(64, 8, 4), 0), keys[0]);
  EXPECT_NE(samples[0], samples[8]) << "two epochs in the same order";
}

// What happens to a sample depends on its position in the epoch, not on how the epoch is cut into batches.
TEST(DataOrder, BatchSizeOnlyCuts) {
  const DataOrder eights(64, 8, 3);
  const DataOrder sixteens(64, 16, 3);
  for (std::int64_t step = 0; step < 8; ++step) {
    std::vector<std::int64_t> samples = samples_of(eights, 2 * step);
    std::vector<std::uint64_t> keys = keys_of(eights, 2 * step);
    for (const std::int64_t sample : samples_of(eights, 2 * step + 1)) samples.push_back(sample);
    for (const std::uint64_t key : keys_of(eights, 2 * step + 1)) keys.push_back(key);
    EXPECT_EQ(samples_of(sixteens, step), samples);
    EXPECT_EQ(keys_of(sixteens, step), keys);
  }
}

TEST(DataOrder, EveryPlaceHasAKeyOfItsOwn) {
  const DataOrder order(64, 8, 3);
  std::set<std::uint64_t> keys;
  for (std::int64_t step = 0; step < 80; ++step)
    for (const std::uint64_t key : keys_of(order, step)) keys.insert(key);
  EXPECT_EQ(keys.size(), 640U);
}

}  // namespace
}  // namespace lrid::data
