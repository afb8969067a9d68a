#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/options.hpp>

namespace lrid {
namespace {

struct Fields {
  std::string architecture = "KNet4";
  SeedSetting seed;
  std::int64_t batch_size = 128;
  double momentum = 0.9;
  bool nesterov = true;
  std::optional<double> learning_rate;
  std::vector<double> drops = {0.3, 0.6};

  void declare(Options& options) {
    options.add("architecture", architecture, Accepts::one_of({"KNet4", "KNet5"}), "network");
    options.add("seed", seed, Accepts::anything(), "model seed");
    options.add("batch_size", batch_size, Accepts::at_least(1), "images a step");
    options.add("optimizer.momentum", momentum, Accepts::between(0, 1), "momentum");
    options.add("optimizer.nesterov", nesterov, Accepts::anything(), "Nesterov's form");
    options.add("optimizer.learning_rate", learning_rate, Accepts::above(0), "base rate");
    options.add("schedule.drops", drops, Accepts::between(0, 1), "where the rate falls");
  }
};

std::string error_of(const std::string& toml, const std::vector<std::string>& assignments = {}) {
  try {
    Config config = Config::from_toml(toml, "run.toml");
    for (const std::string& assignment : assignments) config.assign(assignment);
    Options options(config);
    Fields fields;
    fields.declare(options);
    options.finish();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Options, ReadsFileAndOverrides) {
  Config config = Config::from_toml(
      "architecture = \"KNet5\"\nseed = 3\n[optimizer]\nmomentum = 0\nlearning_rate = 0.1\n", "run.toml");
  config.assign("schedule.drops=[0.5]");
  config.assign("optimizer.nesterov=false");
  config.assign("architecture=KNet4");
  Options options(config);
  Fields fields;
  fields.declare(options);
  options.finish();
  EXPECT_EQ(fields.architecture, "KNet4");
  EXPECT_EQ(fields.seed, (SeedSetting{SeedSetting::Kind::fixed, 3}));
  EXPECT_EQ(fields.momentum, 0);
  EXPECT_EQ(fields.learning_rate, 0.1);
  EXPECT_FALSE(fields.nesterov);
  EXPECT_EQ(fields.drops, std::vector<double>{0.5});
}

TEST(Options, WhatIsWrittenReadsBackToTheSame) {
  Options first(Config::from_toml("batch_size = 7\n[optimizer]\nlearning_rate = 5e-6\n", "run.toml"));
  Fields fields;
  fields.declare(first);
  Options second(Config::from_toml(first.to_toml(), "again.toml"));
  Fields again;
  again.declare(second);
  second.finish();
  EXPECT_EQ(again.batch_size, 7);
  EXPECT_EQ(again.learning_rate, 5e-6);
  EXPECT_EQ(first.to_toml(), second.to_toml());
}

TEST(Options, AutoMayBeSpelledOutBesideChoices) {
  std::optional<std::string> chosen = "b";
  const auto declare = [&](const std::string& toml) {
    Options options(Config::from_toml(toml, "run.toml"));
    options.add("kind", chosen, Accepts::one_of({"a", "b"}), "auto: as the rest asks");
    options.finish();
  };
  declare("kind = \"auto\"\n");
  EXPECT_FALSE(chosen.has_value());
  declare("kind = \"a\"\n");
  EXPECT_EQ(chosen, "a");
  try {
    declare("kind = \"c\"\n");
    FAIL() << "took an unknown kind";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "run.toml:1: kind = \"c\": expected \"auto\" or one of a, b (nearest: a)");
  }
}

TEST(Options, ErrorsNameFileLineKeyAndWhatIsAccepted) {
  EXPECT_EQ(error_of("batch_size = 1\n\n[optimizer]\nmomentun = 0.5\n"),
            "run.toml:4: unknown key optimizer.momentun: the nearest known key is optimizer.momentum");
  EXPECT_EQ(error_of("[optimizer]\nmomentum = 2\n"),
            "run.toml:2: optimizer.momentum = 2: expected a number 0…1");
  EXPECT_EQ(error_of("batch_size = 1.5\n"), "run.toml:1: batch_size = 1.5: expected an integer ≥ 1");
  EXPECT_EQ(error_of("batch_size = \"many\"\n"),
            "run.toml:1: batch_size = \"many\": expected an integer ≥ 1");
  EXPECT_EQ(error_of("", {"optimizer.learning_rate=nan"}),
            "--set: optimizer.learning_rate = nan: expected \"auto\" or a number > 0");
  EXPECT_EQ(error_of("architecture = \"KNet6\"\n"),
            "run.toml:1: architecture = \"KNet6\": expected one of KNet4, KNet5 (nearest: KNet4)");
  EXPECT_EQ(error_of("seed = -1\n"),
            "run.toml:1: seed = -1: expected an integer 0…2^63−1, \"none\" or \"random\"");
  EXPECT_EQ(error_of("schedule.drops = [0.1, 1.5]\n"),
            "run.toml:1: schedule.drops = [0.1, 1.5]: expected a list, each a number 0…1");
  EXPECT_EQ(error_of("", {"batch_size"}), "--set batch_size: expected key=value");
  EXPECT_EQ(error_of("[[sweep]]\nbatch_size = [1]\n"),
            "run.toml: unknown key [[sweep]]: expected a key that --help lists");
  EXPECT_TRUE(error_of("batch_size = = 1\n").starts_with("run.toml:1: "));
}

TEST(Options, StringsWithoutQuotesGetAHint) {
  const auto error = [](const std::string& toml, const std::string& assignment) {
    try {
      Config config = Config::from_toml(toml, "run.toml");
      if (!assignment.empty()) config.assign(assignment);
      Options options(config);
      std::vector<std::string> names;
      options.add("names", names, Accepts::one_of({"svm", "forest"}), "classifiers");
    } catch (const InputError& input) {
      return std::string(input.what());
    }
    return std::string();
  };
  EXPECT_EQ(
      error("", "names=[forest, svm]"),
      "--set: names = \"[forest, svm]\": expected a list, each one of svm, forest; strings in a list need "
      "quotes: --set 'names=[\"forest\", \"svm\"]'");
  EXPECT_EQ(error("", "names=[\"forrest\"]"),
            "--set: names = [\"forrest\"]: expected a list, each one of svm, forest (nearest: forest)");
  EXPECT_THAT(error("x = 1\nnames = [\"svm\", forest] # both\n", ""),
              ::testing::AllOf(::testing::StartsWith("run.toml:2: "),
                               ::testing::EndsWith("; a string needs quotes: [\"svm\", \"forest\"]")));
  EXPECT_THAT(error("x = [1, 2\n", ""), ::testing::Not(::testing::HasSubstr("quotes")));
}

TEST(Options, HelpGroupsKeysByTableWithDefaultRangeAndHelp) {
  Options options;
  Fields fields;
  fields.declare(options);
  EXPECT_THAT(
      options.help(),
      ::testing::StartsWith("  architecture = \"KNet4\"\n      network\n      (one of KNet4, KNet5)\n"));
  EXPECT_THAT(options.help(), ::testing::HasSubstr("\n\n[optimizer]\n  optimizer.momentum = 0.9\n"
                                                   "      momentum\n      (a number 0…1)\n"));
}

TEST(Config, SweepTablesAreTakenOut) {
  Config config = Config::from_toml(
      "epochs = 2\n[[sweep]]\nbatch_size = [1, 2]\n[[sweep]]\n\"rule.alpha\" = [0.1]\n", "sweep.toml");
  const auto tables = config.take_tables("sweep");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_NE(tables[1].find("rule.alpha"), nullptr);
  EXPECT_TRUE(config.tables().empty());
  Config plain = Config::from_toml("[sweep]\nbatch_size = [1, 2]\n\"rule.alpha\" = [0.1]\n", "sweep.toml");
  const auto one = plain.take_tables("sweep");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_NE(one[0].find("rule.alpha"), nullptr);
  EXPECT_TRUE(plain.entries().empty());
}

}  // namespace
}  // namespace lrid
