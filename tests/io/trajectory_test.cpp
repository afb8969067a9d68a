#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/stats/observable.hpp>

#include "python.hpp"
#include "testing.hpp"

namespace lrid::io {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<float> ramp(std::size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.F);
  return values;
}

Trajectory example() {
  Trajectory t;
  t.architecture = "KNet4";
  t.task = t.dataset = "cifar10";
  t.learning_rule = "fa";
  t.batch_size = 128;
  t.model_seed = std::numeric_limits<std::int64_t>::max();
  t.model_seed_drawn = true;
  t.epochs = 3;
  t.status = "complete";
  t.config = "seed = 0\n";
  t.probe_size = 512;
  t.probe_checksum = "abc";
  t.layers = {"conv1", "conv2", "fc4"};
  t.layer_position = {0, 1, 2};
  t.step = {0, 10};
  t.epoch = {0, 3};
  t.observables = ramp(2 * 3 * 45);
  for (const char* name : {"train_loss", "train_accuracy", "validation_loss", "validation_accuracy"})
    t.metrics[name] = {0.5, 0.25};
  t.alignment = {.weight_angle = ramp(6), .error_angle = ramp(6), .norm_ratio = ramp(6)};
  t.alignment->error_angle[0] = std::numeric_limits<float>::quiet_NaN();
  t.imperfect = {.unit_fraction = {1, 0.1}, .noise = {0, 0.5}, .observables = ramp(2 * 2 * 3 * 45)};
  t.checkpoints = {{1, "block/conv1/weight", {2, 3}, ramp(6)}, {1, "scale", {}, {7}}, {0, "scale", {}, {6}}};
  return t;
}

TEST(Trajectory, ReadsBackWhatItWrote) {
  const lrid::testing::TemporaryFolder folder;
  const Trajectory written = example();
  write_trajectory(folder / "t.h5", written);
  const Trajectory read = read_trajectory(folder / "t.h5");
  EXPECT_EQ(read.architecture, "KNet4");
  EXPECT_EQ(read.model_seed, written.model_seed);
  EXPECT_TRUE(read.model_seed_drawn);
  EXPECT_FALSE(read.dataset_seed_drawn);
  EXPECT_TRUE(read.complete());
  EXPECT_EQ(read.points(), 2);
  EXPECT_EQ(read.layers, written.layers);
  EXPECT_EQ(read.observables, written.observables);
  EXPECT_EQ(read.observable_names.size(), 45U);
  EXPECT_EQ(read.observable_names.front(), stats::observables().front().name);
  EXPECT_EQ(read.metrics, written.metrics);
  ASSERT_TRUE(read.alignment);
  EXPECT_TRUE(std::isnan(read.alignment->error_angle[0]));
  EXPECT_EQ(read.alignment->norm_ratio, written.alignment->norm_ratio);
  ASSERT_TRUE(read.imperfect);
  EXPECT_EQ(read.imperfect->observables, written.imperfect->observables);
  EXPECT_FALSE(read.software.empty());

  EXPECT_THAT(checkpoint_points(folder / "t.h5"), ElementsAre(0, 1));
  const auto tensors = read_checkpoint(folder / "t.h5", 1);
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].name, "block/conv1/weight");
  EXPECT_THAT(tensors[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(tensors[0].data, ramp(6));
  EXPECT_THAT(tensors[1].data, ElementsAre(7));
  EXPECT_THROW((void)read_checkpoint(folder / "t.h5", 5), InputError);

  write_trajectory(folder / "again.h5", written);
  EXPECT_EQ(sha256_of_file(folder / "t.h5"), sha256_of_file(folder / "again.h5"));
}

TEST(Trajectory, ReadsBackNumbersOfUnitsAndRelativeNoise) {
  const lrid::testing::TemporaryFolder folder;
  Trajectory written = example();
  write_trajectory(folder / "plain.h5", written);
  const Trajectory plain = read_trajectory(folder / "plain.h5");
  EXPECT_THAT(plain.imperfect->units, ElementsAre(0, 0));
  EXPECT_EQ(plain.imperfect->noise_unit, "absolute");

  written.imperfect->unit_fraction[1] = std::numeric_limits<double>::quiet_NaN();
  written.imperfect->units = {0, 300};
  written.imperfect->noise_unit = "relative";
  write_trajectory(folder / "counted.h5", written);
  const Trajectory read = read_trajectory(folder / "counted.h5");
  EXPECT_THAT(read.imperfect->units, ElementsAre(0, 300));
  EXPECT_EQ(read.imperfect->noise_unit, "relative");
  // Not written where all units are measured by fraction and noise is absolute: a plain file keeps its bytes.
  written = example();
  written.imperfect->units = {0, 0};
  write_trajectory(folder / "again.h5", written);
  EXPECT_EQ(sha256_of_file(folder / "again.h5"), sha256_of_file(folder / "plain.h5"));
}

TEST(Trajectory, IsReadableWithH5py) {
  const std::string python = lrid::testing::python_with_h5py();
  if (python.empty()) GTEST_SKIP() << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  write_trajectory(folder / "t.h5", example());
  const auto result = lrid::testing::read_back(python, "trajectory", folder / "t.h5");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST(Trajectory, MayHaveNoPointsYet) {
  const lrid::testing::TemporaryFolder folder;
  Trajectory t;
  t.status = "failed: loss is nan";
  t.layers = {"conv1"};
  t.layer_position = {0};
  write_trajectory(folder / "t.h5", t);
  const Trajectory read = read_trajectory(folder / "t.h5");
  EXPECT_TRUE(read.failed());
  EXPECT_EQ(read.points(), 0);
  EXPECT_FALSE(read.alignment);
  EXPECT_FALSE(read.imperfect);
  EXPECT_TRUE(checkpoint_points(folder / "t.h5").empty());
}

TEST(Trajectory, RefusesShapesThatDisagree) {
  const lrid::testing::TemporaryFolder folder;
  Trajectory t = example();
  t.observables.pop_back();
  EXPECT_THAT([&] { write_trajectory(folder / "t.h5", t); },
              ThrowsMessage<WorkError>(HasSubstr("observables")));
  EXPECT_FALSE(std::filesystem::exists(folder / "t.h5"));
}

TEST(Trajectory, RefusesOtherFormatsAndStatuses) {
  const lrid::testing::TemporaryFolder folder;
  hdf5::OutputFile("lrid-dataset").save(folder / "d.h5");
  EXPECT_THAT([&] { (void)read_trajectory(folder / "d.h5"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("d.h5"), HasSubstr("lrid-trajectory"))));
  Trajectory t = example();
  t.status = "done";
  write_trajectory(folder / "t.h5", t);
  EXPECT_THAT([&] { (void)read_trajectory(folder / "t.h5"); },
              ThrowsMessage<InputError>(HasSubstr("status")));
}

}  // namespace
}  // namespace lrid::io
