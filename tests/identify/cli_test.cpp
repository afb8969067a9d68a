// lrid-classify from the outside: exit codes, one line per error, files.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/results.hpp>

#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid {
namespace {

using testing::CommandResult;

class Cli : public ::testing::Test {
 protected:
  CommandResult classify(const std::string& arguments) const {
    return testing::run_command("'" + testing::program("lrid-classify").string() + "' " + arguments);
  }
  std::string path(const std::string& name) const { return "'" + (folder_ / name).string() + "'"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  /// run with a configuration on a dataset; exit code 2 and one line that has `part` in it.
  void expect_bad_input(const std::string& toml, const std::string& data, const std::string& part) const {
    write("bad.toml", toml);
    const CommandResult result =
        classify("run --config " + path("bad.toml") + " --data " + path(data) + " --out " + path("bad.json"));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, ::testing::HasSubstr(part));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "bad.json"));
  }

  testing::TemporaryFolder folder_;
};

/// The first words of lines that do not begin with a blank.
std::vector<std::string> names_of(const std::string& listing) {
  std::vector<std::string> names;
  for (const std::string& line : split(listing, '\n'))
    if (!line.empty() && line.front() != ' ') names.push_back(line.substr(0, line.find(' ')));
  return names;
}

TEST_F(Cli, Lists) {
  EXPECT_EQ(names_of(classify("list classifiers").out),
            (std::vector<std::string>{"svm", "forest", "mlp", "knn", "logistic", "majority"}));
  EXPECT_EQ(names_of(classify("list experiments").out),
            (std::vector<std::string>{"separability", "controls", "held-out", "trajectory", "imperfection",
                                      "importances", "none-of-these", "learning-curve", "transfer",
                                      "transforms", "pairs", "matched", "targets"}));
  EXPECT_EQ(classify("list rules").exit_code, 2);
  const CommandResult old = classify("--list experiments");
  EXPECT_EQ(old.exit_code, 0);
  EXPECT_EQ(old.out, classify("list experiments").out) << "what scripts have asked for so far";
  EXPECT_EQ(classify("--help").exit_code, 0);
  EXPECT_THAT(classify("run --keys held-out").out, ::testing::HasSubstr("hold_out"));
}

TEST_F(Cli, FromDatasetToReport) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset());
  write("e.toml",
        "experiment = 'separability'\nsplits = 2\n[features]\nmeasures = ['all', 'weight']\n[svm]\nC = "
        "[1]\npca = [0]\n"
        "[forest]\ntrees = [20]\nmax_features = ['sqrt']\n[mlp]\nkernel = [2]\nfilters = [4]\nstride = [1]\n"
        "pool = ['none']\nlearning_rate = [0.01]\nbatch = [64]\nl2 = [0]\nepochs = 10\n");
  const std::string inputs = "run --config " + path("e.toml") + " --data " + path("d.h5") + " --out ";
  const CommandResult run =
      classify(inputs + path("r.json") + " --threads 2 --set seed=3 --save-splits " + path("s.json"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, ::testing::HasSubstr("measure weight, split network"));
  const io::Results results = io::read_results(folder_ / "r.json");
  EXPECT_EQ(results.experiment, "separability");
  EXPECT_EQ(results.rows.size(), 12U);
  EXPECT_THAT(results.config, ::testing::HasSubstr("seed = 3"));
  EXPECT_EQ(results.dataset_sha256, sha256_of_file(folder_ / "d.h5"));

  // The configuration in the results repeats them.
  write("again.toml", results.config);
  ASSERT_EQ(classify("run --quiet --threads 1 --config " + path("again.toml") + " --data " + path("d.h5") +
                     " --out " + path("again.json"))
                .exit_code,
            0);
  const io::Results again = io::read_results(folder_ / "again.json");
  EXPECT_EQ(again.config, results.config);
  for (std::size_t i = 0; i < results.rows.size(); ++i) {
    EXPECT_EQ(again.rows[i].confusion, results.rows[i].confusion);
    EXPECT_EQ(again.rows[i].importances, results.rows[i].importances);
  }

  const CommandResult report = classify("report " + path("r.json") + " --out " + path("report.html"));
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(read_file(folder_ / "report.html"), ::testing::HasSubstr("<html"));
}

/// SIGKILL leaves no time to write anything: what counts is what was there before.
TEST_F(Cli, GoesOnAfterKill9WithTheSameResults) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset());
  write("e.toml",
        "classifiers = ['forest']\nsplits = 5\ninner_folds = 3\n[features]\nmeasures = ['all', 'weight']\n"
        "[forest]\ntrees = [100]\nmax_features = ['all']\n");
  const std::string inputs = "run --quiet --config " + path("e.toml") + " --data " + path("d.h5") + " --out ";
  ASSERT_EQ(classify(inputs + path("whole.json") + " --threads 1").exit_code, 0);
  const CommandResult killed =
      testing::run_command("'" + testing::program("lrid-classify").string() + "' " + inputs + path("r.json") +
                           " --threads 2 & pid=$!; " + "until [ \"$(ls " + path("r.json.cells") +
                           " 2>/dev/null | wc -l)\" -ge 3 ]; do kill -0 $pid || exit 1; sleep 0.01; " +
                           "done; kill -9 $pid; wait $pid; [ $? -eq 137 ]");
  ASSERT_EQ(killed.exit_code, 0) << killed.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r.json"));
  ASSERT_EQ(classify(inputs + path("r.json") + " --threads 2").exit_code, 0);
  io::Results whole = io::read_results(folder_ / "whole.json"),
              resumed = io::read_results(folder_ / "r.json");
  whole.seconds = resumed.seconds = 0;
  io::write_results(folder_ / "whole.json", whole);
  io::write_results(folder_ / "r.json", resumed);
  EXPECT_EQ(read_file(folder_ / "whole.json"), read_file(folder_ / "r.json"));
}

TEST_F(Cli, Shards) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset());
  write("e.toml",
        "classifiers = ['svm']\nsplits = 2\n[features]\nmeasures = ['all']\n[svm]\nC = [1]\npca = [0]\n");
  const std::string run =
      "run --quiet --config " + path("e.toml") + " --data " + path("d.h5") + " --out " + path("r.json");
  EXPECT_THAT(classify(run + " --shard 0/2").out, ::testing::HasSubstr("2 of 4 cells"));
  EXPECT_THAT(classify(run + " --shard 1/2").out, ::testing::HasSubstr("run without --shard"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r.json"));
  // The page of the cells is the page of the results but for the time that they took.
  const auto page_of = [&](const std::string& source) {
    EXPECT_EQ(classify("report " + path(source) + " --out " + path("r.html")).exit_code, 0);
    const std::string page = read_file(folder_ / "r.html");
    const std::size_t time = page.find("<div><dt>time</dt>");
    return time == std::string::npos ? page : page.substr(0, time) + page.substr(page.find('\n', time) + 1);
  };
  const std::string page = page_of("r.json.cells");
  EXPECT_EQ(classify(run).exit_code, 0);
  EXPECT_EQ(page_of("r.json"), page);
  const CommandResult none = classify("report " + path("r.json.cells") + " --out " + path("r.html"));
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_EQ(std::ranges::count(none.err, '\n'), 1) << none.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "r.json"));
  for (const char* const wrong : {"2/2", "-1/2", "a/b", "1", "1/2/3", ""})
    EXPECT_EQ(classify(run + " --shard '" + wrong + "'").exit_code, std::string_view(wrong).empty() ? 0 : 2)
        << wrong;
}

TEST_F(Cli, FitsAndPredicts) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset(8, 5, 2.0));
  write("e.toml",
        "classifiers = ['forest']\nsplit = ['network']\n[features]\ntransform = 'none'\n[forest]\ntrees = "
        "[30]\nmax_features = ['sqrt']\n");
  const CommandResult fit = classify("fit --quiet --config " + path("e.toml") + " --data " + path("d.h5") +
                                     " --out " + path("m.h5"));
  ASSERT_EQ(fit.exit_code, 0) << fit.err;
  EXPECT_THAT(fit.out, ::testing::HasSubstr("24 observables at 5 points, 288 layers of 64 networks"));
  const CommandResult text = classify("predict --model " + path("m.h5") + " " + path("d.h5"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, ::testing::HasSubstr("KNet4/fa/0: "));
  EXPECT_EQ(std::ranges::count(text.out, '\n'), 64) << text.out;
  const CommandResult layers = classify("predict --layers --model " + path("m.h5") + " " + path("d.h5"));
  EXPECT_THAT(layers.out, ::testing::HasSubstr("  evidence for fa: "));
  EXPECT_THAT(layers.out, ::testing::HasSubstr("  layer   position"));
  EXPECT_THAT(classify("predict --json --model " + path("m.h5") + " " + path("d.h5")).out,
              ::testing::StartsWith("{\n \"format\": \"lrid-predictions\""));
  const CommandResult refused = classify("predict --model " + path("d.h5") + " " + path("d.h5"));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
}

/// The models of data/models: whole, small, and with what a reader of their cards is told.
TEST_F(Cli, ShipsModels) {
  const CommandResult listed = classify("list models");
  std::vector<std::string> names;
  for (const std::string& line : split(listed.out, '\n'))
    if (line.ends_with(".h5")) {
      names.push_back(std::filesystem::path(line).stem());
      EXPECT_LT(std::filesystem::file_size(line), 3'000'000U) << line;
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(line).replace_extension(".md"))) << line;
    }
  EXPECT_EQ(names, (std::vector<std::string>{"activations", "everything", "recordings"})) << listed.err;
  EXPECT_THAT(listed.out, ::testing::HasSubstr("without architecture KNet4: "));
}

/// Without --model the shipped model decides that uses most of what was measured.
TEST_F(Cli, PredictsByTheShippedModelThatFits) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset(6, 3, 3.0));
  const std::string models = path("models"), environment = "LRID_MODELS=" + models;
  std::filesystem::create_directory(folder_ / "models");
  write("e.toml",
        "classifiers = ['forest']\nsplit = ['network']\n[features]\ntransform = 'none'\n[forest]\ntrees = "
        "[20]\nmax_features = ['sqrt']\n");
  const std::string fit = "fit --config " + path("e.toml") + " --data " + path("d.h5") + " --out ";
  ASSERT_EQ(classify(fit + path("models/everything.h5")).exit_code, 0);
  ASSERT_EQ(
      classify(fit + path("models/activity.h5") + " --set 'features.measures=[\"activation\"]'").exit_code,
      0);
  const auto shipped = [&](const std::string& arguments) {
    return testing::run_command(environment + " '" + testing::program("lrid-classify").string() + "' " +
                                arguments);
  };

  const CommandResult listed = shipped("list models");
  EXPECT_EQ(names_of(listed.out).size(), 2U) << listed.out;
  EXPECT_LT(listed.out.find("activity.h5"), listed.out.find("everything.h5"));
  EXPECT_THAT(listed.out, ::testing::HasSubstr("24 observables at 3 points"));

  const CommandResult whole = shipped("predict " + path("d.h5"));
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.err, ::testing::HasSubstr("shipped model everything"));
  EXPECT_EQ(whole.out, classify("predict --model " + path("models/everything.h5") + " " + path("d.h5")).out);

  io::Dataset activity = testing::tiny_dataset(6, 5, 3.0);  // of other length: interpolated
  for (std::size_t k = 0; k < activity.observable_names.size(); ++k)
    if (!activity.observable_names[k].starts_with("act"))
      for (std::size_t i = k; i < activity.x.size(); i += activity.observable_names.size())
        activity.x[i] = std::numeric_limits<float>::quiet_NaN();
  io::write_dataset(folder_ / "activity.h5", activity);
  const CommandResult part = shipped("predict --json " + path("activity.h5"));
  EXPECT_EQ(part.exit_code, 0) << part.err;
  EXPECT_THAT(part.out, ::testing::HasSubstr("models/activity.h5\""));

  std::filesystem::remove_all(folder_ / "models");
  const CommandResult none = shipped("predict " + path("d.h5"));
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, ::testing::HasSubstr("--model: missing, and no model comes with this version"));
  EXPECT_EQ(shipped("list models").out, "");
  EXPECT_EQ(classify("predict --model '' " + path("d.h5")).exit_code, 2)
      << "a name that is empty names no model";
}

TEST_F(Cli, EveryRecipeIsAnExperimentThatRuns) {
  io::Dataset data = testing::tiny_dataset(24, 12);
  for (std::size_t i = 0; i < data.meta.network.size(); ++i) {
    const int digit = data.meta.network[i].back() - '0';
    if (digit % 4 < 2) data.meta.unit_fraction[i] = 0.5;
    data.meta.task[i] = digit % 8 < 4 ? "cifar10" : "imagenet";
    data.meta.final_accuracy[i] = 0.5;
  }
  io::write_dataset(folder_ / "d.h5", data);
  std::size_t recipes = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::source_dir() / "configs/experiments")) {
    ++recipes;
    const CommandResult result = classify("run --quiet --config '" + entry.path().string() + "' --data " +
                                          path("d.h5") + " --out " + path("r.json") +
                                          " --set splits=1 --set inner_folds=2 --set 'classifiers=[\"svm\"]' "
                                          "--set 'svm.C=[1]' --set 'svm.pca=[0]'");
    EXPECT_EQ(result.exit_code, 0) << entry.path() << result.err;
  }
  EXPECT_EQ(recipes, 15U);
}

TEST_F(Cli, BadInputIsOneLineAndExitCode2) {
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset());
  expect_bad_input("experimnt = 'separability'", "d.h5", "experiment");
  expect_bad_input("experiment = 'seperability'", "d.h5", "separability");
  expect_bad_input("classifiers = ['svm', 'lda']", "d.h5", "forest");
  expect_bad_input("splits = 0", "d.h5", "splits");
  expect_bad_input("[svm]\nC = [0]", "d.h5", "svm.C");
  expect_bad_input("[svm]\nC = []", "d.h5", "svm.C");
  expect_bad_input("[forest]\ntrees = ['many']", "d.h5", "forest.trees");
  expect_bad_input("[mlp]\npool = ['median']", "d.h5", "mlp.pool");
  expect_bad_input("[filter]\ntask = ['wsn']", "d.h5", "[filter] task");
  expect_bad_input("", "missing.h5", "missing.h5");

  io::Dataset nan = testing::tiny_dataset();
  nan.x[100] = std::nanf("");
  io::write_dataset(folder_ / "nan.h5", nan);
  expect_bad_input("", "nan.h5", "expected a finite number");

  io::Dataset wrong = testing::tiny_dataset();
  wrong.observable_names[0] = "actabs_meen";
  io::write_dataset(folder_ / "wrong.h5", wrong);
  expect_bad_input("", "wrong.h5", "actabs_mean");

  io::write_dataset(folder_ / "few.h5", testing::tiny_dataset(1));
  expect_bad_input("split = ['network']", "few.h5", "inner folds");

  const CommandResult no_out = classify("run --config " + path("bad.toml") + " --data " + path("d.h5"));
  EXPECT_EQ(no_out.exit_code, 2);
  EXPECT_THAT(no_out.err, ::testing::HasSubstr("--out"));
  const CommandResult no_folder =
      classify("run --config " + path("bad.toml") + " --data " + path("d.h5") + " --out /nowhere/r.json");
  EXPECT_EQ(no_folder.exit_code, 2);
  EXPECT_THAT(no_folder.err, ::testing::HasSubstr("/nowhere"));
  for (const char* const usage : {"--frobnicate", "run --out", "report", "--threads many"}) {
    const CommandResult result = classify(usage);
    EXPECT_EQ(result.exit_code, 2) << usage;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

/// Accuracies of scikit-learn on real trajectories (golden/README.md, "trajectories.h5"): forest of 200 and
/// LinearSVC with C = 1, mean of 5 splits. Ours must be within what 5 splits leave open.
TEST_F(Cli, AgreesWithScikitLearnOnRealTrajectories) {
  const auto data = testing::golden_path("trajectories.h5");
  ASSERT_TRUE(data) << testing::skip_reason("trajectories.h5");
  write("e.toml",
        "classifiers = ['svm', 'forest']\nsplits = 5\ninner_folds = 2\n"
        "[svm]\nC = [1]\npca = [0]\n[forest]\ntrees = [200]\nmax_features = ['sqrt']\n");
  const CommandResult run = classify("run --quiet --config " + path("e.toml") + " --data '" + data->string() +
                                     "' --out " + path("r.json"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::map<std::string, double> expected = {{"forest all sample", 0.81},
                                                  {"forest all network", 0.83},
                                                  {"svm all sample", 0.64},
                                                  {"svm all network", 0.64},
                                                  {"forest weight network", 0.74},
                                                  {"svm weight network", 0.45},
                                                  {"forest activation network", 0.72},
                                                  {"forest layer_change network", 0.57},
                                                  {"svm activation network", 0.56},
                                                  {"svm layer_change network", 0.45}};
  std::size_t compared = 0;
  for (const io::ResultRow& row : io::read_results(folder_ / "r.json").rows) {
    const auto found =
        expected.find(row.classifier + " " + std::get<std::string>(row.condition.at("measure")) + " " +
                      std::get<std::string>(row.condition.at("split")));
    if (found == expected.end()) continue;
    ++compared;
    EXPECT_NEAR(row.accuracy.mean, found->second, 0.08) << found->first;
  }
  EXPECT_EQ(compared, expected.size());
}

}  // namespace
}  // namespace lrid
