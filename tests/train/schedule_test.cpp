#include <cmath>

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

}  // namespace
}  // namespace lrid::train
