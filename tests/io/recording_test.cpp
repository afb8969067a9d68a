#include <cmath>
#include <fstream>
#include <functional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/io/recording.hpp>

#include "python.hpp"
#include "testing.hpp"

namespace lrid::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class RecordingTest : public ::testing::Test {
 protected:
  Recording open(const std::function<void(hdf5::Group&)>& fill,
                 const std::string& format = "lrid-recording") {
    hdf5::OutputFile file(format);
    fill(file.root());
    std::move(file).save(folder_ / "rec.h5");
    return Recording(folder_ / "rec.h5");
  }
  static hdf5::Group layer(hdf5::Group& root, const std::string& id, const std::string& name) {
    hdf5::Group group = root.create_group("layers/" + id);
    group.set_attribute("name", name);
    return group;
  }
  static std::vector<double> activations(const Recording& recording, std::int64_t t) {
    Recording::Values values;
    recording.activations(0).read({t, 1, 0, recording.layers()[0].stimuli}, values);
    return to_float64(values);
  }
  lrid::testing::TemporaryFolder folder_;
};

/// [T=2, stimuli=2, units=3]: value = 100·t + 10·stimulus + unit.
const std::vector<float> values{0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};

TEST_F(RecordingTest, ReadsPointByPoint) {
  const Recording recording = open([](hdf5::Group& root) {
    hdf5::Group group = layer(root, "a", "V1");
    group.write("activations", values, {2, 2, 3});
    group.write<double>("weights", {1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2});
    group.write<double>("layer_change", {.1, .2, .3, .4}, {2, 2});
    root.create_group("stimulus_pictures");  // unknown groups are ignored
  });
  ASSERT_EQ(recording.layers().size(), 1U);
  EXPECT_EQ(recording.layers()[0].name, "V1");
  EXPECT_EQ(recording.layers()[0].units, 3);
  EXPECT_EQ(recording.layers()[0].weights, 4);
  EXPECT_EQ(recording.points(), 2);
  EXPECT_THAT(activations(recording, 1), ElementsAre(100, 101, 102, 110, 111, 112));
  Recording::Values weights;
  recording.weights(0, 1, weights);
  EXPECT_THAT(to_float64(weights), ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(recording.layer_change(0, 0), ElementsAre(.1, .2));
}

TEST_F(RecordingTest, TheGroupNamesALayerWithoutAName) {
  const Recording recording = open([](hdf5::Group& root) {
    root.create_group("layers/IT").write("activations", values, {2, 2, 3});
    layer(root, "0", "V1").write("activations", values, {2, 2, 3});
  });
  ASSERT_EQ(recording.layers().size(), 2U);
  EXPECT_EQ(recording.layers()[0].name, "V1");
  EXPECT_EQ(recording.layers()[1].name, "IT");
}

TEST_F(RecordingTest, HonoursEveryOrderOfAxes) {
  const std::array<std::string, 3> names{"time", "stimuli", "units"};
  const std::array<std::int64_t, 3> extents{2, 2, 3};
  std::array<std::size_t, 3> order{0, 1, 2};
  do {
    hdf5::Shape shape;
    std::string axes;
    for (const std::size_t axis : order) {
      shape.push_back(extents[axis]);
      axes += (axes.empty() ? "" : ", ") + names[axis];
    }
    std::vector<float> permuted;
    std::array<std::int64_t, 3> at{};
    for (std::int64_t i = 0; i < shape[0]; ++i)
      for (std::int64_t j = 0; j < shape[1]; ++j)
        for (std::int64_t k = 0; k < shape[2]; ++k) {
          at[order[0]] = i, at[order[1]] = j, at[order[2]] = k;
          permuted.push_back(static_cast<float>(100 * at[0] + 10 * at[1] + at[2]));
        }
    const Recording recording = open([&](hdf5::Group& root) {
      hdf5::Group group = layer(root, "a", "V1");
      group.write("activations", permuted, shape);
      group.dataset("activations").set_attribute("axes", axes);
    });
    EXPECT_EQ(recording.points(), 2);
    EXPECT_THAT(activations(recording, 1), ElementsAre(100, 101, 102, 110, 111, 112)) << axes;
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(RecordingTest, ScalesIntegers) {
  const Recording recording = open([](hdf5::Group& root) {
    hdf5::Group group = layer(root, "a", "V1");
    group.write<std::int16_t>("activations", {-2, 3, 4, 5}, {2, 1, 2});
    group.dataset("activations").set_attribute("scale", 0.5);
  });
  EXPECT_THAT(activations(recording, 0), ElementsAre(-1.0, 1.5));
}

/// Written with h5py: one array [T=5, stimuli=7, units=11] in every order of axes, layout and element type.
TEST_F(RecordingTest, BlocksCoverEveryLayoutOnce) {
  const std::string python = lrid::testing::python_with_h5py();
  if (python.empty()) GTEST_SKIP() << lrid::testing::no_h5py;
  const auto path = folder_ / "layouts.h5";
  const auto made = lrid::testing::run_python(python, "tests/io/make_layouts.py", "'" + path.string() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Recording recording(path);
  ASSERT_EQ(recording.layers().size(), 6U * 4 * 4);
  ASSERT_EQ(recording.points(), 5);
  Recording::Values block_values;
  for (std::size_t l = 0; l < recording.layers().size(); ++l)
    for (const std::int64_t bytes : {1, 100, 1000, 1 << 20}) {
      std::vector<int> seen(5 * 7, 0);
      std::array<std::int64_t, 5> next{};
      const Recording::Activations activations = recording.activations(l, bytes);
      for (const Recording::Block& block : activations.blocks()) {
        activations.read(block, block_values);
        const std::vector<double> wide = to_float64(block_values);
        ASSERT_EQ(std::ssize(wide), block.points * block.stimuli * 11);
        ASSERT_LE(std::ssize(wide), std::max<std::int64_t>(11, 8 * bytes / 4));
        auto value = wide.begin();
        for (std::int64_t t = block.point; t < block.point + block.points; ++t)
          for (std::int64_t s = block.stimulus; s < block.stimulus + block.stimuli; ++s) {
            ++seen[static_cast<std::size_t>(t * 7 + s)];
            for (std::int64_t u = 0; u < 11; ++u)
              ASSERT_EQ(*value++, 100.0 * static_cast<double>(t * 10 + s) + 2.0 * static_cast<double>(u))
                  << recording.layers()[l].name;
          }
        for (std::int64_t t = block.point; t < block.point + block.points; ++t) {
          std::int64_t& stimulus = next.at(static_cast<std::size_t>(t));
          ASSERT_EQ(std::exchange(stimulus, block.stimulus + block.stimuli), block.stimulus);
        }
      }
      EXPECT_THAT(seen, ::testing::Each(1)) << recording.layers()[l].name << " in blocks of " << bytes;
    }
}

/// Bytes that this process has read from files.
std::int64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t count = 0;
  io >> name >> count;
  return count;
}

TEST_F(RecordingTest, ChunksThatAreReadInPartsAreReadOnce) {
  const std::string python = lrid::testing::python_with_h5py();
  if (python.empty()) GTEST_SKIP() << lrid::testing::no_h5py;
  const auto path = folder_ / "layouts.h5";
  const auto made =
      lrid::testing::run_python(python, "tests/io/make_layouts.py", "'" + path.string() + "' large");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Recording recording(path);
  Recording::Values block_values;
  for (std::size_t l = 0; l < recording.layers().size(); ++l) {
    const std::int64_t before = bytes_read();
    const Recording::Activations activations = recording.activations(l, 1 << 12);
    ASSERT_GT(activations.blocks().size(), 20U);
    for (const Recording::Block& block : activations.blocks()) activations.read(block, block_values);
    // 2 MB that do not compress; a chunk is looked at before libhdf5 reads it.
    EXPECT_LT(bytes_read() - before, 6'000'000) << recording.layers()[l].name;
  }
}

TEST_F(RecordingTest, OrdersLayersByAttributeElseById) {
  const auto fill = [](bool all) {
    return [all](hdf5::Group& root) {
      const char* ids[] = {"a", "b", "c"};
      for (int i = 0; i < 3; ++i) {
        hdf5::Group group = layer(root, ids[i], ids[i]);
        group.write("activations", values, {2, 2, 3});
        if (all || i > 0) group.set_attribute<std::int64_t>("order", 3 - i);
      }
    };
  };
  EXPECT_EQ(open(fill(true)).layers()[0].id, "c");
  EXPECT_EQ(open(fill(false)).layers()[0].id, "a");
}

TEST_F(RecordingTest, RefusesWhatItCannotMean) {
  const auto opening = [&](const std::function<void(hdf5::Group&)>& fill, const std::string& format) {
    return [this, fill, format] { (void)open(fill, format); };
  };
  const std::string good = "lrid-recording";
  EXPECT_THAT(opening([](hdf5::Group&) {}, "other"), ThrowsMessage<InputError>(HasSubstr("lrid-recording")));
  EXPECT_THAT(opening([](hdf5::Group&) {}, good), ThrowsMessage<InputError>(HasSubstr("/layers is missing")));
  EXPECT_THAT(opening([](hdf5::Group& root) { root.create_group("layers"); }, good),
              ThrowsMessage<InputError>(HasSubstr("holds no layers")));
  EXPECT_THAT(opening([](hdf5::Group& root) { layer(root, "a", "V1"); }, good),
              ThrowsMessage<InputError>(HasSubstr("neither")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    layer(root, "a", "V1").write("activations", values, {4, 3});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("three dimensions")));
  for (const char* axes : {"time,stimuli", "time,units,units", "t,stimuli,units", ""})
    EXPECT_THAT(opening(
                    [axes](hdf5::Group& root) {
                      hdf5::Group group = layer(root, "a", "V1");
                      group.write("activations", values, {2, 2, 3});
                      group.dataset("activations").set_attribute("axes", std::string(axes));
                    },
                    good),
                ThrowsMessage<InputError>(HasSubstr("expected time, stimuli and units in some order")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    layer(root, "a", "V1").write("activations", values, {2, 2, 3});
                    layer(root, "b", "V2").write("activations", values, {3, 2, 2});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("has 3 points in time, other arrays have 2")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    layer(root, "a", "V1").write<std::int16_t>("activations", {1, 2}, {1, 1, 2});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("\"scale\"")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    layer(root, "a", "V1").write<std::int64_t>("activations", {1, 2}, {1, 1, 2});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("is int64")));
  const auto with_scale = [](double scale) {
    return [scale](hdf5::Group& root) {
      hdf5::Group group = layer(root, "a", "V1");
      group.write<std::int16_t>("activations", {1, 2}, {1, 1, 2});
      group.dataset("activations").set_attribute("scale", scale);
    };
  };
  for (const double scale : {0.0, static_cast<double>(NAN)})
    EXPECT_THAT(opening(with_scale(scale), good),
                ThrowsMessage<InputError>(HasSubstr("expected a number other than 0")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    hdf5::Group group = layer(root, "a", "V1");
                    group.write("activations", values, {2, 2, 3});
                    group.dataset("activations").set_attribute("scale", 0.5);
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("expected that with int16 only")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    hdf5::Group group = layer(root, "a", "V1");
                    group.write("activations", values, {2, 2, 3});
                    group.write<double>("layer_change", {1, 2, 3, 4, 5, 6}, {2, 3});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("is of 3 stimuli, but the activations are of 2")));
  EXPECT_THAT(opening(
                  [](hdf5::Group& root) {
                    layer(root, "a", "V1").write("activations", values, {2, 2, 3});
                    layer(root, "b", "V1").write("activations", values, {2, 2, 3});
                  },
                  good),
              ThrowsMessage<InputError>(HasSubstr("/layers/b: has the name \"V1\", as has a")));
}

}  // namespace
}  // namespace lrid::io
