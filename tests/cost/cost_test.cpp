#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/cost/estimate.hpp>

#include "testing.hpp"

namespace lrid::cost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// 100 epochs of 10 steps of 20 samples, 21 points, on a processor.
train::RunPlan plan() {
  return train::make_plan(
      Config::from_toml("batch_size = 20\n[compute]\ndevice = \"cpu\"\nthreads = 2\n", "run.toml"), "out.h5",
      {});
}

/// Alone a step takes 10 ms, side by side with three others 4 ms; a point 1 s.
Cost cost() {
  const train::RunPlan of = plan();
  return {.architecture = of.config.architecture,
          .task = of.config.task,
          .learning_rule = of.config.learning_rule,
          .precision = of.config.compute.precision,
          .batch_size = of.config.batch_size,
          .data = of.task_key,
          .training_samples = 200,
          .step_seconds = 0.010,
          .images_per_second = 2000,
          .cohort = 4,
          .cohort_step_seconds = 0.004,
          .point_seconds = 1,
          .memory_bytes = 1 << 30,
          .layers = 4,
          .network_bytes = 1 << 20,
          .step_flops = 1e9,
          .step_bytes = 1e6,
          .peak_flops = 1e12,
          .peak_bytes = 1e11,
          .roofline_share = 0.1,
          .cohort_roofline_share = 0.25};
}

CostTable table(Cost its) {
  return {.device = "a machine", .gpu = false, .threads = 2, .software = "lrid", .costs = {std::move(its)}};
}

TEST(CostTable, IsReadAsItWasWritten) {
  const testing::TemporaryFolder folder;
  write_cost_table(folder / "costs.toml", table(cost()));
  const CostTable read = read_cost_table(folder / "costs.toml");
  ASSERT_EQ(read.costs.size(), 1U);
  const Cost its = read.costs.front(), wanted = cost();
  EXPECT_EQ(its.cohort, 4);
  EXPECT_EQ(its.cohort_step_seconds, wanted.cohort_step_seconds);
  EXPECT_EQ(its.images_per_second, wanted.images_per_second);
  EXPECT_EQ(its.step_flops, wanted.step_flops);
  EXPECT_EQ(its.step_bytes, wanted.step_bytes);
  EXPECT_EQ(its.peak_flops, wanted.peak_flops);
  EXPECT_EQ(its.peak_bytes, wanted.peak_bytes);
  EXPECT_EQ(its.roofline_share, wanted.roofline_share);
  EXPECT_EQ(its.cohort_roofline_share, wanted.cohort_roofline_share);
  write_cost_table(folder / "again.toml", read);
  EXPECT_EQ(read_file(folder / "again.toml"), read_file(folder / "costs.toml"));
}

TEST(CostTable, OfBeforeThereWereCohortsHasThemOfOneNetwork) {
  const testing::TemporaryFolder folder;
  write_atomically(
      folder / "old.toml",
      "device = \"a machine\"\ngpu = false\nthreads = 2\nsoftware = \"lrid 0.1.0\"\n\n[[network]]\n"
      "architecture = \"KNet4\"\ntask = \"cifar10\"\nlearning_rule = \"sgdm\"\n"
      "precision = \"float32\"\nbatch_size = 20\ndata = \"cifar10\"\ntraining_samples = 200\n"
      "step_seconds = 0.01\npoint_seconds = 1.0\nmemory_bytes = 1000\nlayers = 4\n"
      "network_bytes = 100\n");
  const CostTable old = read_cost_table(folder / "old.toml");
  ASSERT_EQ(old.costs.size(), 1U);
  EXPECT_EQ(old.costs.front().cohort, 1);
  EXPECT_EQ(old.costs.front().cohort_step_seconds, 0.01);
  EXPECT_DOUBLE_EQ(old.costs.front().images_per_second, 2000);
  const std::string text = to_text(old);
  EXPECT_THAT(text, HasSubstr("KNet4"));
  EXPECT_THAT(text, Not(HasSubstr("%")));  // its roofline is not known
  EXPECT_THAT(text, Not(HasSubstr("at best")));
}

TEST(CostTable, AsTextFitsAHundredColumns) {
  Cost longest = cost();
  longest.architecture = "ResNet-34v2";
  longest.task = "imagenet";
  longest.batch_size = 1024;
  longest.step_seconds = longest.cohort_step_seconds = 12.34567;
  longest.cohort = 128;
  longest.memory_bytes = 12'345'600'000;
  longest.images_per_second = 123456;
  longest.roofline_share = longest.cohort_roofline_share = 1;
  CostTable both = table(cost());
  both.add(longest);
  std::istringstream lines(to_text(both));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(to_text(both), HasSubstr("10.0%      4    4.00"));
  EXPECT_THAT(to_text(both), HasSubstr("25.0% flops\n"));
  EXPECT_THAT(to_text(both), HasSubstr("a machine; float32: at best 1.00 TFLOP/s, 100 GB/s\n"));
}

TEST(Estimate, CountsDeviceTimeInTheCohortAndWallTimeAlone) {
  const auto of = estimate(plan(), table(cost()));
  ASSERT_TRUE(of);
  EXPECT_DOUBLE_EQ(of->time.seconds, 2 * (1000 * 0.004 + 21 * 1));  // two threads
  EXPECT_DOUBLE_EQ(of->seconds_alone, 1000 * 0.010 + 21 * 1);
  EXPECT_EQ(of->cohort, 4);
  const std::string text = to_text({plan()}, {false}, table(cost()));
  EXPECT_THAT(text, HasSubstr("out.h5  31 s alone  1.07 GB\n"));
  EXPECT_THAT(text, HasSubstr("processor-hours (4 at a time), at most 1.07 GB a network"));

  // Kinds of one architecture and task that differ in it.
  train::RunPlan fa = plan();
  fa.config.learning_rule = "fa";
  Cost its = cost();
  its.learning_rule = "fa";
  its.cohort = 8;
  CostTable both = table(cost());
  both.add(its);
  EXPECT_THAT(to_text({plan(), fa}, {false, false}, both), HasSubstr("(4 to 8 at a time)"));
}

TEST(BestCohort, IsThatOfExactlyThisKindOnThisSortOfDevice) {
  EXPECT_EQ(best_cohort(plan(), table(cost())), 4);
  Cost other = cost();
  other.batch_size = 40;
  EXPECT_EQ(best_cohort(plan(), table(other)), std::nullopt);
  CostTable gpus = table(cost());
  gpus.gpu = true;
  EXPECT_EQ(best_cohort(plan(), gpus), std::nullopt);
}

}  // namespace
}  // namespace lrid::cost
