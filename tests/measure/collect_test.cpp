#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/measure/collect.hpp>

#include "example.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

class CollectTest : public ::testing::Test {
 protected:
  fs::path put(const std::string& name, const io::Trajectory& trajectory) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    io::write_trajectory(path, trajectory);
    return path;
  }
  lrid::testing::TemporaryFolder folder_;
};

TEST_F(CollectTest, OneSamplePerLayerAndNetwork) {
  const auto a = put("a.h5", example_trajectory(1, "fa")), b = put("b.h5", example_trajectory(2, "ia"));
  const Collection collection = collect({a, b});
  const io::Dataset& d = collection.dataset;
  EXPECT_EQ(collection.networks, 2);
  EXPECT_EQ(d.samples, 4);
  EXPECT_EQ(d.points, 3);
  ASSERT_EQ(d.x.size(), 4U * 3 * 45);
  for (int sample = 0; sample < 4; ++sample)
    for (int point = 0; point < 3; ++point)
      EXPECT_EQ(d.x[static_cast<std::size_t>((sample * 3 + point) * 45 + 7)],
                1000 * (1 + sample / 2) + 100 * point + 50 * (sample % 2) + 7);
  EXPECT_THAT(d.meta.learning_rule, ElementsAre("fa", "fa", "ia", "ia"));
  EXPECT_THAT(d.meta.layer, ElementsAre("conv1", "fc4", "conv1", "fc4"));
  EXPECT_THAT(d.meta.layer_position, ElementsAre(0, 2, 0, 2));
  EXPECT_THAT(d.meta.network, ElementsAre("a", "a", "b", "b"));
  EXPECT_THAT(d.meta.model_seed, ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(d.meta.dataset_seed, ElementsAre(-1, -1, -1, -1));
  EXPECT_THAT(d.meta.final_accuracy, ElementsAre(0.3, 0.3, 0.3, 0.3));
  EXPECT_THAT(d.meta.unit_fraction, ElementsAre(1, 1, 1, 1));
}

TEST_F(CollectTest, OneMoreSamplePerImperfectCell) {
  io::Trajectory t = example_trajectory(1);
  t.imperfect = {.unit_fraction = {1, 0.1}, .noise = {0, 0.5}, .observables = {}};
  for (int cell = 0; cell < 2; ++cell)
    for (const float value : t.observables)
      t.imperfect->observables.push_back(value + static_cast<float>(5000 * cell));
  const io::Dataset d = collect({put("a.h5", t)}).dataset;
  // The grid's perfect cell is not there twice.
  EXPECT_EQ(d.samples, 4);
  EXPECT_THAT(d.meta.unit_fraction, ElementsAre(1, 1, 0.1, 0.1));
  EXPECT_THAT(d.meta.noise, ElementsAre(0, 0, 0.5, 0.5));
  EXPECT_THAT(d.meta.network, ElementsAre("a", "a", "a", "a"));
  EXPECT_EQ(d.x[(3 * 3 + 1) * 45 + 2], 6152);  // 5000 + 1000·1 + 100·1 + 50·1 + 2
}

/// Datasets made one by one are that made of all their networks; a network can't be in two of them.
TEST_F(CollectTest, DatasetsAreAddedAsTheyAre) {
  const auto a = put("a.h5", example_trajectory(1, "fa")), b = put("b.h5", example_trajectory(2, "ia"));
  for (const auto& [name, run] : {std::pair{"one", a}, {"other", b}})
    io::write_dataset(folder_ / name, collect({run}).dataset);
  const Collection both = collect({folder_ / "one", folder_ / "other"});
  EXPECT_EQ(both.networks, 2);
  io::write_dataset(folder_ / "both", both.dataset);
  io::write_dataset(folder_ / "at once", collect({a, b}).dataset);
  EXPECT_EQ(read_file(folder_ / "both"), read_file(folder_ / "at once"));
  EXPECT_THAT(
      [&] {
        collect({folder_ / "both", folder_ / "one"});
      },
      ThrowsMessage<InputError>(HasSubstr("holds network a, as a file before it does")));
  io::Trajectory shorter = example_trajectory(3);
  shorter.step.pop_back(), shorter.epoch.pop_back();
  shorter.observables.resize(std::size_t{2} * 2 * 45);
  for (auto& [name, values] : shorter.metrics) values.pop_back();
  EXPECT_THAT(
      [&] {
        collect({put("c.h5", shorter), folder_ / "one"});
      },
      ThrowsMessage<InputError>(HasSubstr("3 trajectory points, but")));
}

TEST(Rounding, KeepsSoManyBits) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(),
                  most = std::numeric_limits<float>::max();
  io::Dataset d{.observable_names = {"a"}, .samples = 1, .points = 8, .x = {}, .meta = {}, .software = ""};
  d.x = {1.0F, 1.24F, 1.25F, -1.375F, 0.0F, inf, most, nan};
  round_mantissas(d, 2);  // to quarters between 1 and 2, ties to even
  EXPECT_THAT(std::vector(d.x.begin(), d.x.end() - 1),
              ElementsAre(1.0F, 1.25F, 1.25F, -1.5F, 0.0F, inf, most));
  EXPECT_TRUE(std::isnan(d.x.back()));
  for (int i = 1; i < 100; ++i) {
    d.x = {std::exp(static_cast<float>(i) / 7)};
    const float exact = d.x[0];
    round_mantissas(d, 12);
    EXPECT_LE(std::abs(d.x[0] / exact - 1), std::ldexp(1.0F, -13));
    const float rounded = d.x[0];
    round_mantissas(d, float_mantissa);
    EXPECT_EQ(d.x[0], rounded);
  }
}

TEST_F(CollectTest, KeepsTheAdmissibleOnRequest) {
  io::Dataset d = collect({put("a.h5", example_trajectory(1))}).dataset;
  const io::Dataset all = d;
  keep_admissible(d);
  ASSERT_EQ(d.observable_names.size(), 24U);
  ASSERT_EQ(d.x.size(), all.x.size() / 45 * 24);
  for (std::size_t k = 0; k < 24; ++k) {
    const auto found = std::ranges::find(all.observable_names, d.observable_names[k]);
    const auto column = static_cast<std::size_t>(found - all.observable_names.begin());
    for (std::size_t row = 0; row < d.x.size() / 24; ++row)
      EXPECT_EQ(d.x[row * 24 + k], all.x[row * 45 + column]);
  }
}

TEST_F(CollectTest, LeavesOutAndCountsWhatIsNotComplete) {
  io::Trajectory running = example_trajectory(2), failed = example_trajectory(3);
  running.status = "running";
  running.step.pop_back();
  running.epoch.pop_back();
  running.observables.resize(2 * 2 * 45);
  for (auto& [name, values] : running.metrics) values.pop_back();
  failed.status = "failed: loss is nan";
  const auto files = {put("a.h5", example_trajectory(1)), put("b.h5", running), put("c.h5", failed)};
  const Collection collection = collect(files);
  EXPECT_EQ(collection.networks, 1);
  EXPECT_EQ(collection.running, 1);
  EXPECT_THAT(collection.failed, ElementsAre(Pair("loss is nan", 1)));
  EXPECT_EQ(collection.dataset.samples, 2);
  EXPECT_THAT(
      [&] {
        (void)collect({folder_ / "b.h5", folder_ / "c.h5"});
      },
      ThrowsMessage<InputError>(HasSubstr("1 running, 1 failed")));
}

TEST_F(CollectTest, FindsFilesInFoldersOnceAndNotTheOutput) {
  const auto b = put("runs/b.h5", example_trajectory(1)), a = put("runs/deep/a.h5", example_trajectory(2));
  write_atomically(folder_ / "runs/a.h5.state", std::string("x"));
  write_atomically(folder_ / "runs/dataset.h5", std::string("x"));
  const fs::path runs = folder_ / "runs";
  EXPECT_THAT(trajectory_files({a, runs, runs / "." / "b.h5"}, folder_ / "runs/dataset.h5"),
              ElementsAre(a, b));
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT([&] { (void)trajectory_files({folder_ / "empty"}); },
              ThrowsMessage<InputError>(HasSubstr("without .h5 files")));
  EXPECT_THAT([&] { (void)trajectory_files({folder_ / "none"}); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("none"), HasSubstr("no such"))));
}

TEST_F(CollectTest, TellsNetworksOfOneNameApart) {
  const auto a = put("x/n.h5", example_trajectory(1)), b = put("y/n.h5", example_trajectory(2));
  const auto network = collect({a, b}).dataset.meta.network;
  EXPECT_NE(network[0], network[2]);
  EXPECT_THAT(network[0], HasSubstr("x/n"));
}

TEST_F(CollectTest, NamesTheFileThatDoesNotFit) {
  const auto a = put("a.h5", example_trajectory(1));
  const auto with = [&](const std::function<void(io::Trajectory&)>& change) {
    io::Trajectory t = example_trajectory(2);
    change(t);
    return [this, a, b = put("b.h5", t)] { (void)collect({a, b}); };
  };
  EXPECT_NO_THROW(with([](io::Trajectory&) {})());
  EXPECT_THAT(
      with([](io::Trajectory& t) {
        t.step.pop_back();
        t.epoch.pop_back();
        t.observables.resize(2 * 2 * 45);
        for (auto& [name, values] : t.metrics) values.pop_back();
      }),
      ThrowsMessage<InputError>(AllOf(HasSubstr("b.h5: 2 trajectory points"), HasSubstr("a.h5 has 3"))));
  EXPECT_THAT(with([](io::Trajectory& t) { t.probe_size = 32; }),
              ThrowsMessage<InputError>(AllOf(HasSubstr("b.h5"), HasSubstr("probe set of 32"))));
  EXPECT_THAT(with([](io::Trajectory& t) { t.probe_checksum = "x"; }),
              ThrowsMessage<InputError>(AllOf(HasSubstr("b.h5"), HasSubstr("probe checksum x"))));
  EXPECT_THAT(with([](io::Trajectory& t) { t.layer_change_kernel = "as-study"; }),
              ThrowsMessage<InputError>(AllOf(HasSubstr("b.h5"), HasSubstr("as-study"))));
  EXPECT_THAT(with([](io::Trajectory& t) {
                for (const auto& observable : stats::observables())
                  t.observable_names.push_back(observable.name);
                t.observable_names[0] = "theirs";
              }),
              ThrowsMessage<InputError>(AllOf(HasSubstr("b.h5"), HasSubstr("observables"))));
  EXPECT_THAT(with([](io::Trajectory& t) { t = example_trajectory(1); }),
              ThrowsMessage<InputError>(HasSubstr("each network once")));
  // Another architecture may see the same images in another preparation, another data set has other ones.
  EXPECT_NO_THROW(with([](io::Trajectory& t) { t.architecture = "KNet4-LRN", t.probe_checksum = "x"; })());
  EXPECT_NO_THROW(with([](io::Trajectory& t) {
    t.dataset = "imagenet";
    t.probe_size = 32;
    t.probe_checksum = "x";
  })());
}

TEST_F(CollectTest, RefusesTruncatedAndForeignFiles) {
  const auto a = put("a.h5", example_trajectory(1));
  const std::string bytes = read_file(a);
  write_atomically(folder_ / "cut.h5", bytes.substr(0, bytes.size() / 2));
  write_atomically(folder_ / "text.h5", std::string("hello"));
  for (const char* name : {"cut.h5", "text.h5"})
    EXPECT_THAT([&] { (void)collect({a, folder_ / name}); }, ThrowsMessage<InputError>(HasSubstr(name)));
  io::write_dataset(folder_ / "dataset.h5", collect({a}).dataset);
  EXPECT_THAT(
      [&] {
        (void)collect({a, folder_ / "dataset.h5"});
      },
      ThrowsMessage<InputError>(AllOf(HasSubstr("dataset.h5"), HasSubstr("each network once"))));
}

}  // namespace
}  // namespace lrid::measure
