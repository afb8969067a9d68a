#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/stats/observable.hpp>

#include "python.hpp"
#include "testing.hpp"

namespace lrid::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Dataset example() {
  Dataset dataset;
  dataset.observable_names = {"a", "b", "c", "é"};
  dataset.samples = 2;
  dataset.points = 3;
  dataset.x.resize(24);
  std::iota(dataset.x.begin(), dataset.x.end(), 0.F);
  SampleMeta& meta = dataset.meta;
  meta.architecture = {"KNet4", "KNet4"};
  meta.task = {"cifar10", "cifar10"};
  meta.dataset = {"cifar10", "cifar10"};
  meta.learning_rule = {"fa", "ia"};
  meta.layer = {"conv1", "fc4"};
  meta.network = {"n1", "n2"};
  meta.layer_position = {0, 2};
  meta.batch_size = {128, 256};
  meta.model_seed = {-1, std::int64_t{1} << 62};
  meta.dataset_seed = {0, 1};
  meta.noise = {0, 0.5};
  meta.unit_fraction = {1, 0.01};
  meta.final_accuracy = {0.5, std::numeric_limits<double>::quiet_NaN()};
  return dataset;
}

TEST(Dataset, ReadsBackWhatItWrote) {
  const lrid::testing::TemporaryFolder folder;
  const Dataset written = example();
  write_dataset(folder / "d.h5", written);
  const Dataset read = read_dataset(folder / "d.h5");
  EXPECT_EQ(read.observable_names, written.observable_names);
  EXPECT_EQ(read.samples, 2);
  EXPECT_EQ(read.points, 3);
  EXPECT_EQ(read.x, written.x);
  EXPECT_EQ(read.meta.learning_rule, written.meta.learning_rule);
  EXPECT_EQ(read.meta.layer_position, written.meta.layer_position);
  EXPECT_EQ(read.meta.model_seed, written.meta.model_seed);
  EXPECT_EQ(read.meta.unit_fraction, written.meta.unit_fraction);
  EXPECT_EQ(read.meta.final_accuracy[0], 0.5);
  EXPECT_TRUE(std::isnan(read.meta.final_accuracy[1]));
  EXPECT_FALSE(read.software.empty());

  write_dataset(folder / "again.h5", written);
  EXPECT_EQ(sha256_of_file(folder / "d.h5"), sha256_of_file(folder / "again.h5"));
}

TEST(Dataset, IsReadableWithH5py) {
  const std::string python = lrid::testing::python_with_h5py();
  if (python.empty()) GTEST_SKIP() << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  write_dataset(folder / "d.h5", example());
  const auto result = lrid::testing::read_back(python, "dataset", folder / "d.h5");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST(Dataset, RefusesColumnsOfAnotherLengthWhenWriting) {
  const lrid::testing::TemporaryFolder folder;
  Dataset dataset = example();
  dataset.meta.task.pop_back();
  EXPECT_THAT([&] { write_dataset(folder / "d.h5", dataset); },
              ThrowsMessage<WorkError>(HasSubstr("meta/task")));
}

/// A file of another writer: no final_accuracy, noise, unit_fraction; `change` may add or spoil things.
void write_foreign(const std::filesystem::path& path, std::int64_t layers = 2, std::uint8_t position = 0) {
  hdf5::OutputFile file("lrid-dataset");
  file.root().write<float>("X", {1, 2}, {2, 1, 1});
  file.root().write<std::string>("observable_names", {"something_of_theirs"});
  for (const char* name : {"architecture", "task", "dataset", "learning_rule", "network"})
    file.root().write<std::string>(std::string("meta/") + name, {"x", "y"});
  file.root().write("meta/layer", std::vector<std::string>(static_cast<std::size_t>(layers), "conv1"));
  file.root().write<std::int64_t>("meta/layer_position", {0, position});
  for (const char* name : {"batch_size", "model_seed", "dataset_seed"})
    file.root().write<std::int64_t>(std::string("meta/") + name, {1, 2});
  std::move(file).save(path);
}

TEST(Dataset, KeepsForeignNamesAndFillsOptionalColumns) {
  const lrid::testing::TemporaryFolder folder;
  write_foreign(folder / "f.h5");
  const Dataset read = read_dataset(folder / "f.h5");
  EXPECT_EQ(read.observable_names, std::vector<std::string>{"something_of_theirs"});
  EXPECT_TRUE(std::isnan(read.meta.final_accuracy[1]));
  EXPECT_EQ(read.meta.noise, (std::vector<double>{0, 0}));
  EXPECT_EQ(read.meta.unit_fraction, (std::vector<double>{1, 1}));
}

TEST(Dataset, RefusesColumnsThatDisagree) {
  const lrid::testing::TemporaryFolder folder;
  write_foreign(folder / "short.h5", 1);
  EXPECT_THAT(
      [&] { (void)read_dataset(folder / "short.h5"); },
      ThrowsMessage<InputError>(AllOf(HasSubstr("short.h5"), HasSubstr("/meta/layer"), HasSubstr("[1]"))));
  write_foreign(folder / "position.h5", 2, 3);
  EXPECT_THAT([&] { (void)read_dataset(folder / "position.h5"); },
              ThrowsMessage<InputError>(HasSubstr("layer_position")));
}

TEST(GoldenDataset, ReadsTheReferenceTrajectories) {
  const auto path = lrid::testing::golden_path("trajectories.h5");
  ASSERT_TRUE(path) << lrid::testing::skip_reason("trajectories.h5");
  const Dataset dataset = read_dataset(*path);
  EXPECT_EQ(dataset.samples, 432);
  EXPECT_EQ(dataset.points, 21);
  // Same names as the registry's; readers go by name, the order of columns is the writer's.
  std::vector<std::string> ours;
  for (const stats::Observable& observable : stats::observables()) ours.push_back(observable.name);
  EXPECT_THAT(dataset.observable_names, ::testing::UnorderedElementsAreArray(ours));
}

}  // namespace
}  // namespace lrid::io
