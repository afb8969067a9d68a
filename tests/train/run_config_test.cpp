#include <filesystem>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/train/run_config.hpp>

#include "testing.hpp"

namespace lrid::train {
namespace {

RunPlan plan(const std::string& toml) {
  return make_plan(Config::from_toml(toml, "run.toml"), "run.h5", {});
}

TEST(RunConfig, TheRecordedConfigurationMeansTheSameRun) {
  const RunPlan first = plan("learning_rule = \"ia\"\nbatch_size = 64\n[rule]\nalpha = 0.5\n");
  const RunPlan again = make_plan(Config::from_toml(first.toml, "recorded"), "run.h5", {});
  EXPECT_EQ(first.toml, again.toml);
  EXPECT_EQ(first_difference(first.toml, again.toml, false), "");
  EXPECT_EQ(first.config.model_seed, again.config.model_seed);
}

TEST(RunConfig, SeedsThatAreNoneDifferFromNetworkToNetworkAndRepeat) {
  const RunPlan a = plan("learning_rule = \"fa\"\n"), b = plan("learning_rule = \"ia\"\n");
  EXPECT_NE(a.config.model_seed, b.config.model_seed);
  EXPECT_NE(a.config.model_seed, a.config.dataset_seed);
  EXPECT_EQ(a.config.model_seed, plan("learning_rule = \"fa\"\n").config.model_seed);
  EXPECT_NE(a.config.model_seed, plan("learning_rule = \"fa\"\nseed = 1\n").config.model_seed);
  EXPECT_NE(a.config.model_seed, plan("learning_rule = \"fa\"\ndataset_seed = 0\n").config.model_seed);
  EXPECT_GE(a.config.model_seed, 0);
  EXPECT_EQ(plan("model_seed = 7\n").config.model_seed, 7);
}

TEST(RunConfig, LearningRatesScaleWithTheBatchButForRulesOfTheirOwn) {
  EXPECT_DOUBLE_EQ(plan("batch_size = 128\n").config.learning_rate, 0.005);
  EXPECT_DOUBLE_EQ(plan("batch_size = 128\nlearning_rule = \"adam\"\n").config.learning_rate, 1e-3);
  EXPECT_DOUBLE_EQ(plan("batch_size = 64\n[optimizer]\nlearning_rate = 0.4\n").config.learning_rate, 0.1);
  EXPECT_DOUBLE_EQ(plan("batch_size = 64\n[optimizer]\nlearning_rate = 0.4\nscale_with_batch = false\n")
                       .config.learning_rate,
                   0.4);
}

TEST(RunConfig, PointsAreWhereFormatsSays) {
  RunConfig config;
  config.points = 21;
  EXPECT_EQ(config.point_step(0, 1000), 0);
  EXPECT_EQ(config.point_step(1, 1000), 50);
  EXPECT_EQ(config.point_step(20, 1000), 1000);
  EXPECT_EQ(config.point_step(7, 103), 36);
  config.epochs = 3.2;
  EXPECT_EQ(config.steps(78), 249);
}

TEST(RunConfig, BadInputIsNamed) {
  const auto error_of = [](const std::string& toml) -> std::string {
    try {
      plan(toml);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("learning_rule = \"hebb\"\n").substr(0, 48),
            "run.toml:1: learning_rule = \"hebb\": expected one");
  EXPECT_EQ(error_of("[optimizer]\nlearning_rate = nan\n"),
            "run.toml:2: optimizer.learning_rate = nan: expected \"auto\" or a number > 0");
  EXPECT_EQ(error_of("[rule]\nalpha = 1.0\n").substr(0, 33), "run.toml:2: unknown key rule.alph");
  EXPECT_EQ(error_of("model_seed = \"random\"\n").substr(0, 35), "run.toml:1: model_seed = \"random\": ");
  EXPECT_NE(error_of("[compute]\ndevice = \"tpu\"\n"), "");
}

TEST(RunConfig, DifferencesAreNamedAndCompleteRunsForgiveCompute) {
  const std::string one = plan("[compute]\nthreads = 1\n").toml, two = plan("[compute]\nthreads = 2\n").toml;
  EXPECT_EQ(first_difference(one, two, false), "compute.threads was 1, now 2");
  EXPECT_EQ(first_difference(one, two, true), "");
  EXPECT_EQ(first_difference(plan("epochs = 3\n").toml, plan("epochs = 4\n").toml, true),
            "epochs was 3.0, now 4.0");
}

TEST(RunConfig, ARandomSeedIsDrawnOnceAndKept) {
  const testing::TemporaryFolder folder;
  const auto draw = [&] {
    Config config = Config::from_toml("seed = \"random\"\n", "run.toml");
    resolve_random_seed(config, folder / "seed");
    return make_plan(config, "run.h5", {}).config.seed.value;
  };
  const std::int64_t first = draw();
  EXPECT_EQ(first, draw());
  std::filesystem::remove(folder / "seed");
  EXPECT_NE(first, draw());
}

}  // namespace
}  // namespace lrid::train
