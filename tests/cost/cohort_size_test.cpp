#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/cost/cohort_size.hpp>

namespace lrid::cost {
namespace {

using ::testing::ElementsAre;

/// What n networks are told to take, a network's step, by n; and who asked.
struct FakeDevice {
  std::vector<std::pair<std::int64_t, double>> seconds;
  std::vector<std::int64_t> measured{};

  MeasuredCohort fastest(std::int64_t most) {
    return fastest_cohort(1.0, most, [&](std::int64_t networks) -> std::optional<double> {
      measured.push_back(networks);
      for (const auto& [n, its] : seconds)
        if (n == networks) return its;
      return std::nullopt;  // out of memory
    });
  }
};

TEST(FastestCohort, DoublesWhileThatIsWorthwhile) {
  FakeDevice device{{{2, 0.5}, {4, 0.3}, {8, 0.29}, {16, 0.1}}};  // 8: 3 % faster than 4
  const MeasuredCohort fastest = device.fastest(1000);
  EXPECT_EQ(fastest.networks, 4);
  EXPECT_EQ(fastest.step_seconds, 0.3);
  EXPECT_THAT(device.measured, ElementsAre(2, 4, 8));
}

TEST(FastestCohort, IsBoundedByMemoryThatWasForeseenAndThatWasNot) {
  FakeDevice device{{{2, 0.5}, {4, 0.25}}};
  EXPECT_EQ(device.fastest(7).networks, 4);
  EXPECT_THAT(device.measured, ElementsAre(2, 4));
  EXPECT_EQ(device.fastest(8).networks, 4);
  EXPECT_EQ(device.fastest(3).networks, 2);
  EXPECT_EQ(device.fastest(1).networks, 1);
  EXPECT_EQ(device.fastest(1).step_seconds, 1.0);
}

TEST(NetworksThatFit, ShareTheMemoryWithOtherJobs) {
  const train::RunPlan plan = train::make_plan(
      Config::from_toml("[compute]\ndevice = \"cpu\"\nthreads = 1\n", "run.toml"), "out.h5", {});
  const tasks::TaskShape shape;
  const auto all = static_cast<double>(networks_that_fit(plan, shape, 1.0, 1));
  EXPECT_GT(all, 8);
  EXPECT_NEAR(static_cast<double>(networks_that_fit(plan, shape, 0.5, 2)), all / 4, 1);
  EXPECT_EQ(networks_that_fit(plan, shape, 1e-12, 1), 1);
}

}  // namespace
}  // namespace lrid::cost
