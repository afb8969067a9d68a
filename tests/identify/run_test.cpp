#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/identify/run.hpp>

#include "identify/evaluate.hpp"
#include "identify/experiments/experiments.hpp"
#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::identify {
namespace {

namespace fs = std::filesystem;

const std::string small_grids =
    "splits = 2\ninner_folds = 3\n[features]\nmeasures = ['all', 'layer_change']\n[svm]\nC = [1, 50]\npca = "
    "[0, 5]\n"
    "[forest]\ntrees = [10, 20]\nmax_features = ['sqrt']\n[mlp]\nkernel = [2]\nfilters = [4]\nstride = [1]\n"
    "pool = ['none', 'max']\nlearning_rate = [1e-2]\nbatch = [32]\nl2 = [0]\nepochs = 10\n";

struct Fixture {
  explicit Fixture(const io::Dataset& dataset = testing::tiny_dataset()) {
    io::write_dataset(folder / "data.h5", dataset);
  }
  RunRequest request(const std::string& out, const std::string& toml = small_grids,
                     const std::vector<std::string>& assignments = {}) const {
    RunRequest request{Config::from_toml(toml, "e.toml"), folder / "data.h5", folder / out, std::nullopt};
    for (const std::string& assignment : assignments) request.config.assign(assignment);
    return request;
  }
  /// The results as text, without the time they took.
  std::string content(const std::string& out) const { return content(io::read_results(folder / out)); }
  std::string content(io::Results results) const {
    results.seconds = 0;
    io::write_results(folder / "compare.json", results);
    return read_file(folder / "compare.json");
  }
  std::vector<fs::path> cells(const std::string& out) const {
    std::vector<fs::path> files;
    std::error_code not_there;
    for (const auto& entry : fs::directory_iterator(folder / (out + ".cells"), not_there))
      if (entry.path().extension() == ".json" && entry.path().filename() != "run.json")
        files.push_back(entry.path());
    return files;
  }
  testing::TemporaryFolder folder;
};

TEST(Run, GivesARowPerConditionAndClassifier) {
  const Fixture f;
  const io::Results results = run(f.request("r.json"));
  ASSERT_EQ(results.rows.size(), 2U * 2 * 3);
  for (const io::ResultRow& row : results.rows) {
    EXPECT_EQ(row.accuracy.splits.size(), 2U);
    EXPECT_EQ(row.confusion.size(), 2U);
    EXPECT_EQ(row.hyperparameters.size(), 2U);
    EXPECT_EQ(row.labels, (std::vector<std::string>{"adam", "fa", "ia", "sgdm"}));
    EXPECT_EQ(row.n_networks, 64);
    EXPECT_EQ(row.n_train, 216);
    EXPECT_EQ(row.n_test, 72);
    EXPECT_EQ(row.importances.empty(), row.classifier != "forest");
    EXPECT_TRUE(row.extra.contains("accuracy_middle"));
    // Rules differ in 24 noisy trajectories: every classifier should be far above chance on all of them.
    if (row.condition.at("measure") == io::ConditionValue(std::string("all"))) {
      EXPECT_GT(row.accuracy.mean, row.classifier == "mlp" ? 0.4 : 0.5) << row.classifier;
    }
    if (row.classifier != "forest") continue;
    double sum = 0;
    for (const auto& [name, value] : row.importances) sum += value;
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_TRUE(row.importances.contains("layer_position"));
  }
  EXPECT_EQ(results.trajectories.size(), 6U);
  EXPECT_EQ(results.notes.size(), 3U);  // three grids reduced
  EXPECT_FALSE(fs::exists(f.folder / "r.json.cells"));
  EXPECT_THAT(result_table(results), ::testing::HasSubstr("measure all, split network"));
}

/// A final accuracy is a trajectory of one point, shorter than the kernels of small_grids.
TEST(Run, LeavesOutAClassifierWhereTrajectoriesAreTooShortForIt) {
  const Fixture f;
  const std::string controls = "experiment = 'controls'\ncontrols = ['final_accuracy', 'unit_norm']\n";
  const io::Results results = run(f.request(
      "r.json", controls + "classifiers = ['forest', 'mlp']\n" + small_grids, {"features.measures=['all']"}));
  std::map<std::pair<std::string, std::string>, int> rows;
  for (const io::ResultRow& row : results.rows)
    ++rows[{std::get<std::string>(row.condition.at("control")), row.classifier}];
  EXPECT_EQ(rows,
            (std::map<std::pair<std::string, std::string>, int>{
                {{"final_accuracy", "forest"}, 2}, {{"unit_norm", "forest"}, 2}, {{"unit_norm", "mlp"}, 2}}));
  EXPECT_THAT(results.notes,
              ::testing::Contains("mlp: left out where a trajectory has 1 point, since the grid needs at "
                                  "least 2"));
  EXPECT_THAT(
      [&] { run(f.request("s.json", controls + "classifiers = ['mlp']\n" + small_grids)); },
      ::testing::ThrowsMessage<InputError>(::testing::HasSubstr(
          "trajectories have length 1, less than the kernels of the mlp's grid: expected a smaller")));
}

/// Features separate the rules well here, and the networks too. Split by network, shuffled labels must give
/// chance; split by layer, networks are recognised.
TEST(Run, ShuffledLabelsGiveChanceInEveryClassifier) {
  const Fixture f(testing::tiny_dataset(8, 3, 2.0));
  const io::Results results =
      run(f.request("r.json",
                    "experiment = 'controls'\ncontrols = ['shuffled_labels']\nclassifiers = ['svm', "
                    "'forest', 'mlp', 'knn', 'logistic']\n" +
                        small_grids + "[knn]\nneighbours = [1, 5]\n[logistic]\nC = [1]\n",
                    {"splits=10", "features.measures=['all']"}));
  ASSERT_EQ(results.rows.size(), 10U);
  for (const io::ResultRow& row : results.rows) {
    ASSERT_TRUE(row.accuracy.interval) << row.classifier;
    const bool by_network = row.condition.at("split") == io::ConditionValue(std::string("network"));
    EXPECT_EQ(row.accuracy.p.has_value(), by_network);
    if (!by_network) continue;
    // One of five may be off by chance: 5 % over all of them.
    EXPECT_GT(*row.accuracy.p, 0.005) << row.classifier;
    EXPECT_LT(*row.accuracy.p, 0.995) << row.classifier;
  }
}

/// The counts of layers that are right, network by network, are the accuracy.
TEST(Run, KeepsWhatWasRightOfEachNetwork) {
  const Fixture f;
  const io::Results results = run(f.request("r.json", "classifiers = ['forest', 'svm']\n" + small_grids));
  for (const io::ResultRow& row : results.rows) {
    ASSERT_TRUE(row.tested);
    for (std::size_t s = 0; s < 2; ++s) {
      double correct = 0, layers = 0;
      for (std::size_t i = 0; i < row.correct[s].size(); ++i) {
        correct += static_cast<double>(row.correct[s][i]);
        layers += static_cast<double>(row.tested->layers[s][i]);
        const std::string& name = row.tested->names[static_cast<std::size_t>(row.tested->network[s][i])];
        const std::string& rule = row.labels[static_cast<std::size_t>(
            row.tested->labels[static_cast<std::size_t>(row.tested->network[s][i])])];
        EXPECT_THAT(name, ::testing::HasSubstr("/" + rule + "/"));
      }
      EXPECT_DOUBLE_EQ(correct / layers, row.accuracy.splits[s]);
      EXPECT_EQ(layers, 72);
      if (row.network_correct.empty()) continue;
      double right = 0;
      for (const std::int64_t one : row.network_correct[s]) right += static_cast<double>(one);
      EXPECT_DOUBLE_EQ(right / static_cast<double>(row.network_correct[s].size()),
                       row.extra.at("network_accuracy").splits[s]);
    }
    const auto& [low, high] = *row.accuracy.interval;
    EXPECT_LT(low, row.accuracy.mean);
    EXPECT_GT(high, row.accuracy.mean);
    EXPECT_TRUE(row.extra.at("accuracy_deep").interval);
    EXPECT_EQ(row.extra.contains("network_accuracy"), !row.network_correct.empty());
  }
  EXPECT_EQ(results.comparisons.size(), 4U + 2 * 2 + 2 * 2);  // classifiers, measures, kinds of split
  EXPECT_THAT(result_table(results), ::testing::HasSubstr("differences over the same networks: "));
}

TEST(Run, SameNumbersForAnyNumberOfThreads) {
  const Fixture f;
  for (const std::size_t threads : {1U, 3U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    run(f.request("r" + std::to_string(threads) + ".json"));
  }
  EXPECT_EQ(f.content("r1.json"), f.content("r3.json"));
}

TEST(Run, AnotherSeedAnotherResult) {
  const Fixture f;
  run(f.request("a.json"));
  run(f.request("b.json", "seed = 1\n" + small_grids));
  EXPECT_NE(io::read_results(f.folder / "a.json").rows[0].confusion,
            io::read_results(f.folder / "b.json").rows[0].confusion);
}

TEST(Run, ResumesAfterAnInterrupt) {
  const Fixture f;
  run(f.request("whole.json"));
  // Stop after a third of the cells: a run interrupted from another thread might finish first.
  run_shard(f.request("r.json"), 1, 3);
  request_interrupt();
  EXPECT_THROW(run(f.request("r.json")), Interrupted);
  request_interrupt(false);
  EXPECT_FALSE(fs::exists(f.folder / "r.json"));
  EXPECT_EQ(f.cells("r.json").size(), 8U);

  // A damaged cell is recomputed, the others are reused.
  std::ofstream(f.cells("r.json").front()) << "{\"chosen\": ";
  run(f.request("r.json"));
  EXPECT_EQ(f.content("r.json"), f.content("whole.json"));
  EXPECT_FALSE(fs::exists(f.folder / "r.json.cells"));
}

TEST(Run, KeptCellsAreUsedAndThoseOfAnotherConfigurationAreNot) {
  const Fixture f;
  const std::string one = "classifiers = ['forest']\nsplit = ['network']\n" + small_grids;
  // Plants a figure in every stored cell: if it shows in the results, the cell was used.
  const auto begun = [&](const std::string& toml) {
    run_shard(f.request("s.json", toml), 0, 3);
    for (const fs::path& cell : f.cells("s.json")) {
      std::string text = read_file(cell);
      const std::size_t at = text.find("\"inner_accuracy\":") + 17;
      text.replace(at, text.find(',', at) - at, "0.125");
      write_atomically(cell, text);
    }
  };
  begun(one);
  const auto has_planted = [](const io::Results& results) {
    for (const io::ResultRow& row : results.rows)
      for (const double value : row.extra.at("accuracy_inner_folds").splits)
        if (value == 0.125) return true;
    return false;
  };
  EXPECT_FALSE(has_planted(run(f.request("s.json", "seed = 5\n" + one))));
  begun(one);
  EXPECT_TRUE(has_planted(run(f.request("s.json", one))));
}

TEST(Run, ShardsTogetherGiveTheWhole) {
  const Fixture f;
  run(f.request("whole.json"));
  std::size_t done = 0;
  for (const std::size_t index : {2U, 0U, 1U}) {
    EXPECT_LT(done, 24U);
    const Cells cells = run_shard(f.request("r.json"), index, 3);
    EXPECT_EQ(cells.all, 24U);
    EXPECT_EQ(cells.done, done += 8);
    EXPECT_FALSE(fs::exists(f.folder / "r.json"));
  }
  const std::vector<io::NamedResults> gathered = gather({f.folder / "r.json.cells"});
  ASSERT_EQ(gathered.size(), 1U);
  EXPECT_EQ(gathered[0].name, "r.json");
  EXPECT_EQ(f.content(gathered[0].results), f.content("whole.json"));
  run(f.request("r.json"));
  EXPECT_EQ(f.content("r.json"), f.content("whole.json"));
}

const std::string few_cells =
    "classifiers = ['svm']\nsplits = 2\nfeatures.measures = ['all']\nsvm.C = [1]\nsvm.pca = [0]\n";

TEST(Gather, TakesShardsFromSeveralFoldersBesideOtherRunsAndFiles) {
  const Fixture f;
  run(f.request("whole.json", few_cells));
  run_shard(f.request("here.json", few_cells), 0, 2);
  run_shard(f.request("other.json", few_cells, {"seed=1"}), 0, 1);
  run_shard(f.request("there.json", few_cells), 1, 2);
  const std::vector<io::NamedResults> gathered =
      gather({f.folder / "here.json.cells/", f.folder / "other.json.cells", f.folder / "whole.json",
              f.folder / "there.json.cells"});
  ASSERT_EQ(gathered.size(), 3U);
  EXPECT_EQ(gathered[0].name, "here.json");
  EXPECT_EQ(f.content(gathered[0].results), f.content("whole.json"));
  EXPECT_EQ(gathered[1].name, "other.json");
  EXPECT_NE(f.content(gathered[1].results), f.content("whole.json"));
  EXPECT_EQ(gathered[2].name, "whole.json");
}

TEST(Gather, SaysWhatIsWrongWithCells) {
  const Fixture f;
  const fs::path cells = f.folder / "r.json.cells";
  const auto expect_error = [&](const std::vector<std::string>& parts,
                                const std::optional<fs::path>& data = std::nullopt) {
    try {
      (void)gather({cells}, data);
      ADD_FAILURE() << parts.front();
    } catch (const InputError& error) {
      for (const std::string& part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  };
  run_shard(f.request("r.json", few_cells), 1, 3);
  expect_error({"r.json.cells: 3 of 4 cells missing, of --shard 0/3, 2/3: expected"});
  run_shard(f.request("r.json", few_cells), 0, 3);
  expect_error({"1 of 4 cells missing, of --shard 2/3: expected"});
  run_shard(f.request("r.json", few_cells), 2, 3);
  fs::rename(f.folder / "data.h5", f.folder / "moved.h5");
  expect_error({"data.h5, does not exist", "--data"});
  EXPECT_EQ(gather({cells}, f.folder / "moved.h5")[0].results.rows.size(), 2U);
  io::write_dataset(f.folder / "data.h5", testing::tiny_dataset(9));
  expect_error({"data.h5: not the dataset of the cells in ", "expected SHA-256"});
  const std::string origin = read_file(cells / "run.json");
  std::string older = origin;
  older.replace(older.find("\"version\": \"") + 12, 1, "x");
  write_atomically(cells / "run.json", older);
  expect_error({"r.json.cells: cells of lrid x", "the same version"});
  write_atomically(cells / "run.json", origin.substr(0, 40));
  expect_error({"run.json: damaged"});
  fs::remove(cells / "run.json");
  expect_error({"r.json.cells: contains no run.json"});
  EXPECT_THROW(gather({f.folder / "missing.json"}), InputError);
  write_atomically(f.folder / "other.json", "{\"format\": \"something else\"}");
  EXPECT_THROW(gather({f.folder / "other.json"}), InputError);
}

TEST(Run, ReportsCalibrationAndVerdictsPerNetwork) {
  const Fixture f;
  for (const io::ResultRow& row : run(f.request("r.json")).rows) {
    EXPECT_TRUE(row.extra.contains("calibration_error"));
    double count = 0;
    for (const io::ReliabilityBin& bin : row.reliability) count += bin.count;
    EXPECT_EQ(count, 2 * 72) << row.classifier;
    const bool by_network = row.condition.at("split") == io::ConditionValue(std::string("network"));
    EXPECT_EQ(row.extra.contains("network_accuracy"), by_network);
    // All layers together tell more than one.
    if (by_network && row.classifier == "forest") {
      EXPECT_GE(row.extra.at("network_accuracy").mean, row.accuracy.mean);
    }
  }
}

/// Without an effect d′ is about 0 in every class, and its interval says so.
TEST(Run, GivesIntervalsOfDPrime) {
  const Fixture f(testing::tiny_dataset(12, 3));
  const std::string recipe =
      "classifiers = ['forest']\nsplit = ['network']\nsplits = 3\nfeatures.measures = ['all']\n"
      "forest.trees = [30]\nforest.max_features = ['sqrt']\n";
  for (const bool shuffled : {false, true}) {
    const io::ResultRow row =
        run(f.request("r.json",
                      recipe + (shuffled ? "experiment = 'controls'\ncontrols = ['shuffled_labels']\n" : "")))
            .rows.back();
    ASSERT_EQ(row.dprime_intervals.size(), row.labels.size());
    for (std::size_t c = 0; c < row.labels.size(); ++c) {
      double mean = 0;
      for (const std::vector<double>& split : row.dprime)
        mean += split[c] / static_cast<double>(row.dprime.size());
      const auto& [low, high] = row.dprime_intervals[c];
      EXPECT_LT(low, mean);
      EXPECT_NEAR(mean, (low + high) / 2, 1e-9);
      EXPECT_EQ(low > 0, !shuffled) << row.labels[c];
    }
  }
}

TEST(Run, TellsUnknownClasses) {
  const Fixture f(testing::tiny_dataset(8, 5, 3.0));
  const io::Results results =
      run(f.request("r.json",
                    "experiment = 'none-of-these'\nclassifiers = ['forest']\nunknown = ['fa']\n"
                    "split = ['network']\nsplits = 3\nfeatures.measures = ['all']\n"
                    "forest.trees = [50]\nforest.max_features = ['sqrt']\n"));
  ASSERT_EQ(results.rows.size(), 1U);
  const auto& extra = results.rows[0].extra;
  EXPECT_GT(extra.at("auroc_novelty").mean, 0.8);
  EXPECT_GT(extra.at("network_auroc").mean, 0.9);
  EXPECT_LT(extra.at("known_refused").mean, 0.15);
  EXPECT_GT(extra.at("unknown_refused").mean, extra.at("known_refused").mean);
  for (const char* name : {"auroc_novelty", "network_auroc", "known_refused", "network_known_refused",
                           "unknown_refused", "network_unknown_refused", "network_coverage"}) {
    const io::Figure& figure = extra.at(name);
    ASSERT_TRUE(figure.interval) << name;
    EXPECT_LT(figure.interval->front(), figure.interval->back()) << name;
    EXPECT_LE(figure.interval->front(), figure.mean + 1e-12) << name;
    EXPECT_GE(figure.interval->back(), figure.mean - 1e-12) << name;
  }
  // Eight unknown networks that all stand out are no proof that every one does.
  EXPECT_LT(extra.at("network_auroc").interval->front(), 0.95);
}

TEST(Run, SavesItsSplits) {
  const Fixture f;
  RunRequest request = f.request("r.json", "classifiers = ['svm']\n" + small_grids);
  request.splits = f.folder / "splits.json";
  run(request);
  const std::string text = read_file(f.folder / "splits.json");
  EXPECT_THAT(text, ::testing::StartsWith(
                        "{\"format\":\"lrid-splits\",\"format_version\":1,\"plans\":[{\"condition\":"
                        "{\"measure\":\"all\",\"split\":\"sample\"},\"kind\":\"sample\""));
  EXPECT_THAT(text, ::testing::HasSubstr("\"classes\":[\"adam\",\"fa\",\"ia\",\"sgdm\"]"));
}

TEST(Run, ShuffledLabelsGiveChance) {
  const Fixture f(testing::tiny_dataset(12, 3));
  const io::Results results = run(f.request(
      "r.json",
      "experiment = 'controls'\ncontrols = ['shuffled_labels']\nsplits = 6\ninner_folds = 2\n"
      "features.measures = ['all']\nsvm.C = [1]\nsvm.pca = [0]\nforest.trees = [50]\n"
      "forest.max_features = ['sqrt']\nmlp.kernel = [3]\nmlp.filters = [4]\nmlp.stride = [1]\n"
      "mlp.pool = ['none']\nmlp.learning_rate = [1e-2]\nmlp.batch = [64]\nmlp.l2 = [0]\nmlp.epochs = 20\n"));
  for (const io::ResultRow& row : results.rows)
    if (row.condition.at("split") == io::ConditionValue(std::string("network"))) {
      EXPECT_NEAR(row.accuracy.mean, 0.25, 0.1) << row.classifier;
    }
}

TEST(Evaluate, StopsWhenInterrupted) {
  const io::Dataset data = testing::tiny_dataset(8, 3);
  Options options(Config::from_toml("splits = 1\ninner_folds = 2\nsplit = ['sample']\n", "e.toml"));
  Protocol protocol;
  protocol.declare(options);
  Study study(protocol, data, "d.h5");
  const Condition condition = experiments().at("separability").make()->conditions(study).front();
  for (const learn::ClassifierEntry& entry : learn::classifiers().entries()) {
    request_interrupt();
    EXPECT_THROW((void)evaluate(*entry.make(), condition, 0, protocol, Key(1)), Interrupted) << entry.name;
    request_interrupt(false);
  }
}

/// Test samples get wild features; a model that had seen them would differ.
TEST(Evaluate, TestSamplesLeakIntoNothing) {
  io::Dataset data = testing::tiny_dataset(8, 2, 0.0);
  Options options(
      Config::from_toml("splits = 1\nsplit = ['sample']\nfeatures.measures = ['all']\n"
                        "forest.trees = [20]\nforest.max_features = ['sqrt']",
                        "e.toml"));
  Protocol protocol;
  protocol.declare(options);
  const auto forest = learn::classifiers().at("forest").make();
  forest->declare(options);
  const auto experiment = experiments().at("separability").make();
  Study study(protocol, data, "d.h5");
  Condition condition = experiment->conditions(study).front();
  const Split& split = condition.plan->splits[0];
  const CellResult before = evaluate(*forest, condition, 0, protocol, Key(1));

  auto table = std::make_shared<FeatureTable>(*condition.train);
  for (const std::int64_t row : split.test) table->x.row(row).tail(10).setConstant(1e6F);
  condition.train = table;  // test keeps the old one
  const CellResult after = evaluate(*forest, condition, 0, protocol, Key(1));
  EXPECT_EQ(before, after);
}

TEST(Evaluate, PermutingWhatIsUsedCostsAccuracy) {
  const io::Dataset data = testing::tiny_dataset(8, 3, 2.0);
  Options options(Config::from_toml("splits = 1\ninner_folds = 2\nsplit = ['network']\n", "e.toml"));
  Protocol protocol;
  protocol.declare(options);
  Study study(protocol, data, "d.h5");
  Condition condition = experiments().at("separability").make()->conditions(study).front();
  condition.permutations = 3;
  auto table = std::make_shared<FeatureTable>(*condition.train);  // all but one observable are constant
  const std::string used = table->layout.observables.front();
  table->x.rightCols(table->layout.columns() - 3 - 3).setConstant(1);
  condition.train = condition.tests.front().table = table;
  const auto forest = learn::classifiers().at("forest").make();
  Options grid(Config::from_toml("[forest]\ntrees = [20]\nmax_features = ['all']\n", "e.toml"));
  forest->declare(grid);
  const auto figures = evaluate(*forest, condition, 0, protocol, Key(1)).tests.front().figures;
  EXPECT_EQ(std::ranges::count_if(figures, [](const auto& f) { return f.first.starts_with("permuted_"); }),
            24 + 1 + 3);
  EXPECT_GT(figures.at("permuted_" + used), 0.1);
  EXPECT_EQ(figures.at("permuted_" + table->layout.observables.back()), 0);
  const std::string measure = used.starts_with("weight") ? "weight"
                              : used.starts_with("act")  ? "activation"
                                                         : "layer_change";
  EXPECT_EQ(figures.at("permuted_" + measure) > 0.1, true);
}

TEST(Evaluate, SaysWhenTheDataAdmitNoGridPoint) {
  const Fixture f;
  const auto run_with = [&](const std::string& grid) {
    return [&f, grid] { run(f.request("r.json", grid)); };
  };
  EXPECT_THAT(run_with("classifiers = ['mlp']\nmlp.kernel = [11]\n"),
              ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("expected a smaller mlp.kernel")));
  EXPECT_THAT(run_with("classifiers = ['svm']\nsvm.pca = [500]\n"),
              ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("no point of the grid")));
}

}  // namespace
}  // namespace lrid::identify
