#include <cmath>
#include <tuple>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/train/schedule.hpp>

namespace lrid::train {
namespace {

Schedule schedule(const std::string& toml) {
  Options options(Config::from_toml(toml, "run.toml"));
  Schedule result;
  result.declare(options);
  options.finish();
  return result;
}

TEST(Schedule, DefaultsAreThoseOfTheStudyOnAHundredEpochs) {
  // tasks.md §4 with base 0.1: e = 0 → 0, 2.5 → 0.05, 5 → 0.1, 30 → 0.01, 60 → 0.001, 80 → 1e-4.
  const Schedule by_fraction = schedule("");
  const Schedule by_epoch = schedule("[schedule]\nunit = \"epochs\"\nwarmup = 5\ndrops = [30, 60, 80]\n");
  constexpr std::int64_t steps_per_epoch = 40, steps = 100 * steps_per_epoch;
  const std::vector<std::pair<double, double>> expected = {{0, 0},    {2.5, 0.5}, {5, 1},     {29.9, 1},
                                                           {30, 0.1}, {60, 0.01}, {80, 1e-3}, {99.9, 1e-3}};
  for (const auto& [epoch, factor] : expected) {
    const auto step = static_cast<std::int64_t>(std::llround(epoch * steps_per_epoch));
    EXPECT_NEAR(by_fraction.factor_at(step, steps, steps_per_epoch), factor, 1e-12) << epoch;
    EXPECT_NEAR(by_epoch.factor_at(step, steps, steps_per_epoch), factor, 1e-12) << epoch;
  }
}

TEST(Schedule, RefusesAWarmUpPastTheFirstDropAndUnsortedDrops) {
  EXPECT_THROW(schedule("[schedule]\nwarmup = 0.5\n"), InputError);
  EXPECT_THROW(schedule("[schedule]\ndrops = [0.6, 0.3]\n"), InputError);
  EXPECT_EQ(schedule("[schedule]\nwarmup = 0\ndrops = []\n").factor_at(0, 10, 5), 1);
}

TEST(Schedule, CountsFromTheEndOfTheDelay) {
  const Schedule s =
      schedule("[schedule]\nunit = \"epochs\"\nwarmup = 5\ndrops = [30, 60, 80]\ndelay = 10\n");
  constexpr std::int64_t steps = 1000;
  constexpr double per_epoch = 10;
  for (const auto& [epoch, factor, drop_factor] : {std::tuple{0, 0.0, 1.0},
                                                   {10, 0.0, 1.0},
                                                   {15, 1.0, 1.0},
                                                   {39, 1.0, 1.0},
                                                   {40, 0.1, 0.1},
                                                   {70, 0.01, 0.01}}) {
    EXPECT_NEAR(s.factor_at(epoch * 10, steps, per_epoch), factor, 1e-12) << epoch;
    EXPECT_NEAR(s.drop_factor_at(epoch * 10, steps, per_epoch), drop_factor, 1e-12) << epoch;
    const Schedule::Losses losses = s.losses_at(epoch * 10, steps, per_epoch);
    EXPECT_EQ(losses.task, epoch >= 10);
    EXPECT_TRUE(losses.layerwise);
    EXPECT_EQ(losses.layerwise_rests, 0);
  }
  EXPECT_THROW(schedule("[schedule]\ndelay = 1.0\n"), InputError);
}

TEST(Schedule, AlternatesOneStepWithSeveral) {
  const Schedule s =
      schedule("[schedule]\nunit = \"epochs\"\nwarmup = 0\ndrops = [10]\ndelay = 1\nalternate = 2\n");
  std::int64_t rests = 0;
  for (std::int64_t step = 0; step < 40; ++step) {
    const Schedule::Losses losses = s.losses_at(step, 400, 4);
    const bool delayed = step < 4, aligns = delayed || (step - 4) % 3 == 0;
    EXPECT_EQ(losses.layerwise, aligns) << step;
    EXPECT_EQ(losses.task, !aligns) << step;
    EXPECT_EQ(losses.layerwise_rests, rests) << step;
    if (!aligns) ++rests;
  }
  // A drop at 10 epochs of 4 steps comes after 3 times as many, and the delay.
  EXPECT_EQ(s.factor_at(4 + 119, 400, 4), 1);
  EXPECT_EQ(s.factor_at(4 + 120, 400, 4), 0.1);
}

}  // namespace
}  // namespace lrid::train
