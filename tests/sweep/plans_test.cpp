#include <set>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/sweep/plans.hpp>

namespace lrid::sweep {
namespace {

std::vector<train::RunPlan> expand(const std::string& toml) {
  return expand_sweep(Config::from_toml(toml, "sweep.toml"), "out", {});
}

TEST(Sweep, IsTheProductOfItsLists) {
  const auto plans = expand(
      "epochs = 2\n[sweep]\narchitecture = [\"KNet4\", \"KNet5\"]\nlearning_rule = [\"sgdm\", \"fa\"]\n"
      "batch_size = [32, 64]\nmodel_seed = [\"none\", 0]\n");
  EXPECT_EQ(plans.size(), 16U);
  std::set<std::string> names;
  for (const train::RunPlan& plan : plans) names.insert(plan.out.string());
  EXPECT_EQ(names.size(), 16U);
  EXPECT_TRUE(names.contains("out/KNet5_cifar10_fa_b64_m0_dnone.h5"));
}

TEST(Sweep, WhatNamesDoNotSpellOutIsHashed) {
  const auto plans = expand("[sweep]\n\"optimizer.momentum\" = [0.5, 0.9]\n");
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_NE(plans[0].out, plans[1].out);
  EXPECT_EQ(plans[0].name().substr(0, 34), "KNet4_cifar10_sgdm_b128_mnone_dnon");
  EXPECT_EQ(plans[0].name().size(), std::string("KNet4_cifar10_sgdm_b128_mnone_dnone_01234567").size());
}

TEST(Sweep, TablesAreUnitedAndRunsNamedTwiceAreMadeOnce) {
  const auto plans = expand(
      "[[sweep]]\nlearning_rule = [\"sgdm\", \"adam\"]\n[[sweep]]\nlearning_rule = [\"adam\", \"ia\"]\n");
  EXPECT_EQ(plans.size(), 3U);
}

TEST(Sweep, RefusesWhatMakesNoSense) {
  EXPECT_THROW(expand("epochs = 2\n"), InputError);
  EXPECT_THROW(expand("[sweep]\nbatch_size = 3\n"), InputError);
  EXPECT_THROW(expand("[sweep]\nbatch_size = []\n"), InputError);
  EXPECT_THROW(expand("[sweep]\nbatch_sice = [3]\n"), InputError);
  EXPECT_THROW(expand("[sweep]\nlearning_rule = [\"sgdm\", \"hebb\"]\n"), InputError);
}

TEST(Sweep, ShardsCoverEverythingOnce) {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < 3; ++i)
    for (const train::RunPlan& plan : shard(expand("[sweep]\nbatch_size = [1, 2, 3, 4, 5, 6, 7]\n"), i, 3))
      EXPECT_TRUE(names.insert(plan.name()).second);
  EXPECT_EQ(names.size(), 7U);
}

}  // namespace
}  // namespace lrid::sweep
