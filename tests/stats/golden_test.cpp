#include <cmath>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>

#include <gtest/gtest.h>

#include <lrid/io/recording.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "testing.hpp"

namespace lrid::stats {
namespace {

using io::hdf5::Group;
using io::hdf5::InputFile;

/// The largest deviation that a test saw, printed at its end (benchmarks/README.md has them).
class Largest {
 public:
  explicit Largest(std::string of) : of_(std::move(of)) {}
  ~Largest() { std::cout << of_ << ": largest relative deviation " << largest_ << "\n"; }
  Largest(const Largest&) = delete;
  Largest& operator=(const Largest&) = delete;
  void see(double found, double expected, double scale) {
    if (scale > 0) largest_ = std::max(largest_, std::abs(found - expected) / scale);
  }

 private:
  std::string of_;
  double largest_ = 0;
};

/// observables.h5: 42 distribution statistics of a recording, in float64 and as we store them, in float32.
TEST(GoldenStatistics, Observables) {
  const auto path = lrid::testing::golden_path("observables.h5");
  if (!path) GTEST_SKIP() << lrid::testing::skip_reason("observables.h5");
  const InputFile file(*path);
  const auto names = file.root().dataset("expected/observable_names").read<std::string>();
  const auto layers = file.root().dataset("expected/layers").read<std::string>();
  const auto expected = file.root().dataset("expected/observables").read<double>();
  const io::Recording recording(*path);
  ASSERT_EQ(recording.layers().size(), layers.size());

  Largest wide_deviation("observables.h5, float64"), deviation("observables.h5, float32");
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < layers.size(); ++i) place[layers[i]] = i;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const io::Recording::Layer& layer = recording.layers()[l];
    const LayerPlan plan({.units = layer.units, .weights = layer.weights});
    for (std::int64_t t = 0; t < recording.points(); ++t) {
      io::Recording::Values values;
      recording.weights(l, t, values);
      const std::vector<double> weights = io::to_float64(values);
      recording.activations(l).read({t, 1, 0, layer.stimuli}, values);
      const std::vector<double> activations = io::to_float64(values);
      LayerFold wide(plan, Key(0)), single(plan, Key(0));
      wide.set_weights(View::of(weights));
      wide.add(View::of(activations, layer.stimuli));
      const std::vector<float> weights32(weights.begin(), weights.end());
      const std::vector<float> activations32(activations.begin(), activations.end());
      single.set_weights(View::of(weights32));
      single.add(View::of(activations32, layer.stimuli));
      const ObservableRow row = wide.row(0), row32 = single.row(0);
      for (std::size_t k = 0; k < names.size(); ++k) {
        const int column = observable_index(names[k]);
        ASSERT_GE(column, 0) << names[k];
        const auto c = static_cast<std::size_t>(column);
        const double want =
            expected[(static_cast<std::size_t>(t) * layers.size() + place.at(layer.name)) * names.size() + k];
        const std::string here = layer.name + " " + names[k] + " at point " + std::to_string(t);
        if (std::isnan(want)) {
          EXPECT_TRUE(std::isnan(row[c])) << here;
          EXPECT_TRUE(std::isnan(row32[c])) << here;
        } else {
          wide_deviation.see(row[c], want, std::abs(want));
          deviation.see(static_cast<float>(row32[c]), want, std::abs(want));
          EXPECT_NEAR(row[c], want, 1e-10 * std::abs(want)) << here;
          EXPECT_NEAR(static_cast<float>(row32[c]), want, 1e-5 * std::abs(want)) << here;
        }
      }
    }
  }
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

std::array<double, 3> layer_change(const ObservableRow& row) {
  std::array<double, 3> result;
  for (const Function function : {Function::raw, Function::absolute, Function::square})
    result[static_cast<std::size_t>(function)] =
        row[static_cast<std::size_t>(observable_index(Measure::layer_change, function, Statistic::id))];
  return result;
}

/// layer_change.h5: layers with their S and y.
class GoldenLayerChange : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto path = lrid::testing::golden_path("layer_change.h5");
    if (!path) GTEST_SKIP() << lrid::testing::skip_reason("layer_change.h5");
    file.emplace(*path);
  }
  /// Compares the layer change that the fold makes of `s` and the layer's y with what the file says.
  void expect_change(const Group& layer, const std::vector<double>& s, const std::vector<double>& expected) {
    const auto y = layer.dataset("y").read<double>();
    LayerShape shape;
    shape.units = std::ssize(s);
    shape.activation =
        layer.attribute<std::string>("activation") == "relu" ? Activation::relu : Activation::identity;
    const LayerPlan plan(shape);
    LayerFold fold(plan, Key(0));
    fold.set_layer_change(0, View::of(s));
    fold.add(View::of(y, std::ssize(y) / std::ssize(s)));
    const auto found = layer_change(fold.row(0));
    for (std::size_t i = 0; i < 3; ++i) {
      deviation.see(found[i], expected[i], largest(expected));
      EXPECT_NEAR(found[i], expected[i], 1e-10 * largest(expected)) << i;
    }
  }
  std::optional<InputFile> file;
  Largest deviation{"layer_change.h5"};
};

/// Whole layers.
TEST_F(GoldenLayerChange, OfWholeLayers) {
  const std::vector<std::string> names = file->root().names();
  EXPECT_GT(names.size(), 10U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const Group layer = file->root().group(name);
    expect_change(layer, layer.dataset("S").read<double>(), layer.dataset("gradavg").read<double>({3}));
  }
}

/// S from the indicator of kept inputs, for layers whose S is a product with the kernel (fully connected) or
/// whose kernel is 1×1 with stride 1, in long hand.
std::vector<double> s_of_kept_inputs(const Group& layer, const std::vector<double>& kept) {
  const auto weight = layer.dataset("weight");
  const auto w = weight.read<double>();
  const auto outputs = static_cast<std::size_t>(weight.shape()[0]),
             channels = static_cast<std::size_t>(weight.shape()[1]);
  const std::size_t positions = kept.size() / channels;
  std::vector<double> s(outputs * positions, 0.0);
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t p = 0; p < positions; ++p)
        s[o * positions + p] += w[o * channels + c] * kept[c * positions + p];
  return s;
}

/// Subsets in the file are given as masks, ours are drawn: the same numbers must come out of the fold when
/// its kept outputs are the file's, which S with zeros elsewhere, and their number, express.
TEST_F(GoldenLayerChange, OfSubsets) {
  for (const char* name : {"fc_identity", "fc_relu", "fc_relu_on_map", "conv1x1_s1_projection"}) {
    const Group layer = file->root().group(name);
    for (const char* subset : {"subset_0.5", "subset_0.1"}) {
      SCOPED_TRACE(::testing::Message() << name << " " << subset);
      const Group group = layer.group(subset);
      const auto inputs = group.dataset("kept_inputs").read<double>();
      const auto outputs = group.dataset("kept_outputs").read<double>();
      const auto fraction = group.attribute<double>("unit_fraction");
      EXPECT_EQ(std::accumulate(inputs.begin(), inputs.end(), 0.0), kept_count(std::ssize(inputs), fraction));
      const double kept = std::accumulate(outputs.begin(), outputs.end(), 0.0);
      EXPECT_EQ(kept, kept_count(std::ssize(outputs), fraction));

      std::vector<double> s = s_of_kept_inputs(layer, inputs);
      ASSERT_EQ(s.size(), outputs.size());
      for (std::size_t j = 0; j < s.size(); ++j) s[j] *= outputs[j] * static_cast<double>(s.size()) / kept;
      expect_change(layer, s, group.dataset("gradavg").read<double>({3}));
    }
  }
}

}  // namespace
}  // namespace lrid::stats
