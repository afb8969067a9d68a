#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include <lrid/data/prefetcher.hpp>

namespace lrid::data {
namespace {

TEST(Prefetcher, GivesEveryStepInAnyOrder) {
  for (const int threads : {1, 2, 4}) {
    Prefetcher<std::int64_t> ahead([](std::int64_t step) { return step * step; }, threads, 3);
    for (const std::int64_t start : {0, 50, 7, 7, 1000, 6})
      for (std::int64_t step = start; step < start + 20; ++step) ASSERT_EQ(ahead.take(step), step * step);
  }
}

TEST(Prefetcher, WorksAheadButNotFurtherThanAsked) {
  std::atomic<std::int64_t> furthest{-1};
  Prefetcher<int> ahead(
      [&](std::int64_t step) {
        for (std::int64_t seen = furthest; seen < step && !furthest.compare_exchange_weak(seen, step);) {
        }
        return 0;
      },
      2, 4);
  ahead.take(10);
  for (int wait = 0; wait < 1000 && furthest < 14; ++wait)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(furthest, 14) << "steps 11 to 14 should be made while nobody asks";
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(furthest, 14);
}

TEST(Prefetcher, JumpsLeaveNothingBehind) {
  const auto token = std::make_shared<int>(0);
  Prefetcher<std::shared_ptr<int>> ahead([&](std::int64_t) { return token; }, 2, 4);
  for (std::int64_t jump = 0; jump < 500; ++jump) ahead.take((jump * 7919) % 1000);
  EXPECT_LE(token.use_count(), 1 + 4 + 2) << "ours, those that wait, those in the making";
}

TEST(Prefetcher, ErrorsArriveWithTheirStep) {
  Prefetcher<int> ahead(
      [](std::int64_t step) -> int {
        if (step == 2) throw std::runtime_error("step 2");
        return static_cast<int>(step);
      },
      2, 4);
  EXPECT_EQ(ahead.take(0), 0);
  EXPECT_EQ(ahead.take(1), 1);
  EXPECT_THROW(ahead.take(2), std::runtime_error);
  EXPECT_EQ(ahead.take(3), 3);
}

TEST(Prefetcher, EndsWhileItsThreadsWorkOrWait) {
  for (int trial = 0; trial < 50; ++trial) {
    Prefetcher<int> ahead([](std::int64_t) { return 1; }, 3, 5);
    if (trial % 2 == 0) ahead.take(trial);
  }
}

}  // namespace
}  // namespace lrid::data
