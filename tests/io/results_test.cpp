#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/io/results.hpp>

#include "testing.hpp"

namespace lrid::io {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const double nan = std::numeric_limits<double>::quiet_NaN();

Results example() {
  ResultRow row;
  row.classifier = "svm";
  row.condition = {{"measure", std::string("weight")},
                   {"position", std::int64_t{0}},
                   {"unit_fraction", 0.1},
                   {"noise", 1.0},
                   {"matched", true}};
  row.accuracy = Figure::of({0.5, 0.7});
  row.confusion = {{{3, 1}, {0, 4}}, {{2, 2}, {1, 3}}};
  row.labels = {"adam", "fa"};
  row.dprime = {{1.5, nan}, {0, -1}};
  row.balanced_accuracy = {{0.5, 0.5}, {1, 1}};
  row.hyperparameters = {{{"C", 0.1}, {"pca", std::int64_t{20}}}, {{"C", 1.0}, {"pca", std::string("none")}}};
  row.importances = {{"weightabs_mean_0", 0.25}};
  row.n_train = 8;
  row.n_test = 4;
  row.n_networks = 3;
  row.extra = {{"auroc", Figure::of({0.75})}};
  row.reliability = {{4, 2.5, 3}, {0, 0, 0}};
  row.accuracy.interval = {0.41, nan};
  row.accuracy.p = 0.03;
  row.observable_importances = {{"weightabs_mean", Figure::of({0.2, 0.3})}};
  row.tested = std::make_shared<TestedNetworks>(
      TestedNetworks{{"n1", "n2", "n3"}, {0, 1, -1}, {{0, 1}, {2}}, {{4, 4}, {3}}, 0.5});
  row.correct = {{4, 2}, {0}};
  row.network_correct = {{1, 0}, {0}};
  Results results;
  results.experiment = "main";
  results.rows = {row, ResultRow()};
  results.dataset_path = "d.h5";
  results.dataset_sha256 = "ff";
  results.config = "seed = 0\n";
  results.software = "lrid x";
  results.seconds = 1.5;
  results.notes = {"grid reduced: C"};
  results.rows.push_back(row);
  results.comparisons = {{.about = "measure",
                          .a = 0,
                          .b = 2,
                          .difference = 0.25,
                          .interval = {-0.1, 0.6},
                          .p = 0.2,
                          .p_holm = 0.4,
                          .networks = 3}};
  results.trajectories = {{"actraw_mean", {"adam", "fa"}, {{1, 2}, {3, nan}}, {{0, 0}, {0, 0}}}};
  return results;
}

TEST(Results, ReadBackWhatWasWritten) {
  const lrid::testing::TemporaryFolder folder;
  write_results(folder / "r.json", example());
  const Results read = read_results(folder / "r.json");
  ASSERT_EQ(read.rows.size(), 3U);
  const ResultRow& row = read.rows[0];
  EXPECT_EQ(row.condition, example().rows[0].condition);  // 1.0 stays a double, 0 an integer
  EXPECT_EQ(row.accuracy.splits, (std::vector<double>{0.5, 0.7}));
  EXPECT_DOUBLE_EQ(row.accuracy.mean, 0.6);
  EXPECT_DOUBLE_EQ(row.accuracy.sem, 0.1);  // sd √0.02 over √2
  EXPECT_EQ(row.confusion, example().rows[0].confusion);
  EXPECT_EQ(row.labels, example().rows[0].labels);
  EXPECT_TRUE(std::isnan(row.dprime[0][1]));
  EXPECT_EQ(row.dprime[1], example().rows[0].dprime[1]);
  EXPECT_EQ(row.hyperparameters, example().rows[0].hyperparameters);
  EXPECT_EQ(row.importances, example().rows[0].importances);
  EXPECT_EQ(row.n_networks, 3);
  EXPECT_EQ(row.extra.at("auroc").splits, std::vector<double>{0.75});
  EXPECT_EQ(row.reliability, example().rows[0].reliability);
  ASSERT_TRUE(row.accuracy.interval);
  EXPECT_DOUBLE_EQ(row.accuracy.interval->front(), 0.41);
  EXPECT_TRUE(std::isnan(row.accuracy.interval->back()));
  EXPECT_EQ(row.accuracy.p, 0.03);
  ASSERT_TRUE(row.tested);
  EXPECT_EQ(*row.tested, *example().rows[0].tested);
  EXPECT_EQ(row.tested, read.rows[2].tested) << "rows that test the same networks share them";
  EXPECT_EQ(row.correct, example().rows[0].correct);
  EXPECT_EQ(row.network_correct, example().rows[0].network_correct);
  EXPECT_FALSE(read.rows[1].tested);
  ASSERT_EQ(read.comparisons.size(), 1U);
  EXPECT_EQ(read.comparisons[0].b, 2U);
  EXPECT_EQ(read.comparisons[0].interval, (std::array{-0.1, 0.6}));
  EXPECT_EQ(read.comparisons[0].p_holm, 0.4);
  EXPECT_FALSE(row.extra.at("auroc").interval || row.extra.at("auroc").p);
  EXPECT_EQ(row.observable_importances.at("weightabs_mean").splits, (std::vector<double>{0.2, 0.3}));
  EXPECT_TRUE(read.rows[1].importances.empty());
  EXPECT_EQ(read.notes, example().notes);
  ASSERT_EQ(read.trajectories.size(), 1U);
  EXPECT_EQ(read.trajectories[0].mean[0], (std::vector<double>{1, 2}));
  EXPECT_TRUE(std::isnan(read.trajectories[0].mean[1][1]));
  EXPECT_EQ(read.dataset_sha256, "ff");
  EXPECT_EQ(read.seconds, 1.5);

  write_results(folder / "again.json", read);
  EXPECT_EQ(read_file(folder / "r.json"), read_file(folder / "again.json"));
}

TEST(Results, NaNIsNull) {
  const lrid::testing::TemporaryFolder folder;
  write_results(folder / "r.json", example());
  const std::string text = read_file(folder / "r.json");
  EXPECT_THAT(text, HasSubstr("null"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(Results, NotesAndTrajectoriesAreOptional) {
  const lrid::testing::TemporaryFolder folder;
  Results results = example();
  results.notes.clear();
  results.trajectories.clear();
  write_results(folder / "r.json", results);
  EXPECT_THAT(read_file(folder / "r.json"), Not(HasSubstr("notes")));
  EXPECT_TRUE(read_results(folder / "r.json").trajectories.empty());
}

TEST(Results, RefusesWhatIsNoResultsFile) {
  const lrid::testing::TemporaryFolder folder;
  const auto path = folder / "r.json";
  const auto reading = [&](const std::string& text) {
    write_atomically(path, text);
    return [&] { (void)read_results(path); };
  };
  EXPECT_THAT(reading("{\"format\": "), ThrowsMessage<InputError>(HasSubstr("not JSON")));
  EXPECT_THAT(reading("[]"), ThrowsMessage<InputError>(HasSubstr("format")));
  EXPECT_THAT(reading(R"({"format": "x"})"), ThrowsMessage<InputError>(HasSubstr("lrid-results")));
  EXPECT_THAT(reading(R"({"format": "lrid-results", "format_version": 2})"),
              ThrowsMessage<InputError>(HasSubstr("format_version is 2")));
  EXPECT_THAT(reading(R"({"format": "lrid-results", "format_version": 1, "experiment": "e"})"),
              ThrowsMessage<InputError>(HasSubstr("rows")));
  EXPECT_THAT(reading(R"({"format": "lrid-results", "format_version": 1, "experiment": 3})"),
              ThrowsMessage<InputError>(HasSubstr("r.json")));
}

TEST(Results, RefusesAnIntervalWithoutTwoEnds) {
  const lrid::testing::TemporaryFolder folder;
  write_results(folder / "r.json", example());
  std::string text = read_file(folder / "r.json");
  const std::string ends = "0.41,\n     null";
  ASSERT_NE(text.find(ends), std::string::npos);
  text.replace(text.find(ends), ends.size(), "0.41");
  write_atomically(folder / "r.json", text);
  EXPECT_THAT([&] { (void)read_results(folder / "r.json"); },
              ThrowsMessage<InputError>(HasSubstr("an interval must have two ends")));
}

TEST(Results, NamesTheObservableOfAFeature) {
  EXPECT_EQ(observable_of_feature("weightabs_median@3"), "weightabs_median");
  EXPECT_EQ(observable_of_feature("layer_position"), "layer_position");
}

TEST(Results, FigureOfFewSplits) {
  EXPECT_EQ(Figure::of({0.25}).sem, 0);
  EXPECT_TRUE(std::isnan(Figure::of({}).mean));
}

}  // namespace
}  // namespace lrid::io
