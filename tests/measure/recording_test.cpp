#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/stats/observable.hpp>

#include "testing.hpp"

namespace lrid::measure {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

float at(const io::Observables& o, std::size_t point, std::size_t layer, const char* name) {
  const auto column = static_cast<std::size_t>(stats::observable_index(name));
  return o.values[(point * o.layers.size() + layer) * stats::observable_count + column];
}

/// V1: activity, weights and layer change of two points; V2: activity only.
std::filesystem::path write_recording(const lrid::testing::TemporaryFolder& folder) {
  io::hdf5::OutputFile file("lrid-recording");
  io::hdf5::Group v1 = file.root().create_group("layers/a"), v2 = file.root().create_group("layers/b");
  v1.set_attribute<std::string>("name", "V1");
  v2.set_attribute<std::string>("name", "V2");
  v1.write<float>("activations", {1, 2, 3, nan, nan, nan, 5, 7, 4, 4, 4, 4, 4, 4, 4, 4}, {2, 2, 4});
  v1.write<double>("weights", {1, -1, 2, 2, 0, 0, 0, 8}, {2, 2, 2});
  v1.write<double>("layer_change", {1, -3, 2, 2}, {2, 2});
  v2.write<float>("activations", {1, 2, 3, 4, 5, 6}, {2, 1, 3});
  std::move(file).save(folder / "rec.h5");
  return folder / "rec.h5";
}

TEST(MeasureRecording, MeasuresWhatIsThere) {
  const lrid::testing::TemporaryFolder folder;
  const io::Observables o = measure_recording(io::Recording(write_recording(folder)));
  EXPECT_EQ(o.points, 2);
  EXPECT_THAT(o.layers, ::testing::ElementsAre("V1", "V2"));
  // Lost cells are left out: means 2 and 6 of the two stimuli.
  EXPECT_EQ(at(o, 0, 0, "actraw_mean"), 4);
  EXPECT_EQ(at(o, 1, 0, "actraw_mean"), 4);
  EXPECT_TRUE(std::isnan(at(o, 1, 0, "actraw_skew")));
  EXPECT_EQ(at(o, 0, 0, "weightraw_mean"), 1);
  EXPECT_EQ(at(o, 1, 0, "weightsq_mean"), 16);
  EXPECT_EQ(at(o, 0, 0, "gradavgraw_id"), -1);
  EXPECT_EQ(at(o, 0, 0, "gradavgabs_id"), 2);
  EXPECT_EQ(at(o, 1, 1, "actraw_mean"), 5);
  EXPECT_TRUE(std::isnan(at(o, 0, 1, "weightraw_mean")));
  EXPECT_TRUE(std::isnan(at(o, 0, 1, "gradavgraw_id")));
}

TEST(MeasureRecording, ImperfectlyWithoutLayerChange) {
  const lrid::testing::TemporaryFolder folder;
  const io::Recording recording(write_recording(folder));
  const io::Observables half = measure_recording(recording, {.unit_fraction = 0.5, .seed = 3});
  EXPECT_TRUE(std::isnan(at(half, 0, 0, "gradavgraw_id")));
  EXPECT_EQ(half.unit_fraction, 0.5);
  EXPECT_EQ(half.seed, 3);
  // Of V2's three units two are seen, the same two at both points.
  EXPECT_EQ(at(half, 1, 1, "actraw_mean") - at(half, 0, 1, "actraw_mean"), 3);
  const io::Observables noisy = measure_recording(recording, {.noise = 0.1, .seed = 3});
  EXPECT_TRUE(std::isnan(at(noisy, 0, 0, "gradavgraw_id")));
  EXPECT_NE(at(noisy, 0, 1, "actraw_mean"), 2);
  EXPECT_NEAR(at(noisy, 0, 1, "actraw_mean"), 2, 0.5);
  EXPECT_NE(at(noisy, 1, 1, "actraw_mean") - at(noisy, 0, 1, "actraw_mean"), 3);  // new noise at every point
  EXPECT_THROW((void)measure_recording(recording, {.unit_fraction = 0}), InputError);
}

TEST(GoldenRecording, ObservablesAsStored) {
  const auto path = lrid::testing::golden_path("observables.h5");
  if (!path) GTEST_SKIP() << lrid::testing::skip_reason("observables.h5");
  const io::Observables o = measure_recording(io::Recording(*path));
  const io::hdf5::InputFile file(*path);
  const auto names = file.root().dataset("expected/observable_names").read<std::string>();
  const auto layers = file.root().dataset("expected/layers").read<std::string>();
  EXPECT_THAT(o.layers, ::testing::UnorderedElementsAreArray(layers));  // ours by id
  const auto expected = file.root().dataset("expected/observables").read<double>();
  std::size_t i = 0;
  for (std::size_t t = 0; t < 5; ++t)
    for (const std::string& layer : layers)
      for (const std::string& name : names) {
        const auto l = static_cast<std::size_t>(std::ranges::find(o.layers, layer) - o.layers.begin());
        const double want = expected[i++], found = at(o, t, l, name.c_str());
        if (std::isnan(want))
          EXPECT_TRUE(std::isnan(found)) << name;
        else
          EXPECT_NEAR(found, want, 1e-5 * std::abs(want)) << layer << " " << name;
      }
}

}  // namespace
}  // namespace lrid::measure
