// The layer change seen through subsets of units, where networks are at hand: the masked golden cases of
// every kind of layer, and a literal differentiation.
#include <cmath>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/io/hdf5.hpp>
#include <lrid/nn/layer.hpp>
#include <lrid/observe/network_observer.hpp>

#include "networks.hpp"
#include "testing.hpp"

namespace lrid::observe {
namespace {

using nn::Tensor;

Tensor read(const io::hdf5::Group& group, const std::string& name) {
  const io::hdf5::Dataset dataset = group.dataset(name);
  std::vector<double> values = dataset.read<double>();
  const auto& shape = dataset.shape();
  return torch::from_blob(values.data(), std::vector<std::int64_t>(shape.begin(), shape.end()),
                          torch::kFloat64)
      .clone();
}

double at(const stats::ObservableRow& row, stats::Function function) {
  return row[static_cast<std::size_t>(
      stats::observable_index(stats::Measure::layer_change, function, stats::Statistic::id))];
}

/// layer_change.h5, "subset_…": S is the kernel applied to the indicator of kept inputs; kept outputs are S's
/// that count, and their number is N.
TEST(GoldenImperfect, LayerChangeThroughMasksForEveryKindOfLayer) {
  const auto path = testing::golden_path("layer_change.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("layer_change.h5");
  const io::hdf5::InputFile file(*path);
  double worst = 0;
  int cases = 0;
  for (const std::string& name : file.root().names()) {
    const io::hdf5::Group group = file.root().group(name);
    const Tensor weight = read(group, "weight"), x = read(group, "x"), y = read(group, "y");
    nn::LayerSpec spec;
    spec.name = name;
    spec.kind = weight.dim() == 4 ? nn::LayerKind::conv : nn::LayerKind::fc;
    spec.in = weight.size(1);
    spec.out = weight.size(0);
    spec.kernel = weight.dim() == 4 ? weight.size(2) : 1;
    if (weight.dim() == 4) spec.stride = group.attribute<std::int64_t>("stride");
    const std::string padding = weight.dim() == 4 ? group.attribute<std::string>("padding") : "SAME";
    spec.padding = padding == "SAME"    ? nn::Padding::same
                   : padding == "VALID" ? nn::Padding::valid
                                        : nn::Padding::fixed;
    spec.bias = false;
    const nn::ObservedLayer layer(spec, Key(0), torch::kFloat64);
    for (const char* subset : {"subset_0.5", "subset_0.1"}) {
      const io::hdf5::Group masks = group.group(subset);
      const Tensor inputs = read(masks, "kept_inputs"), outputs = read(masks, "kept_outputs");
      std::vector<std::int64_t> one = weight.dim() == 4 ? x.sizes().vec() : std::vector{1L, weight.size(1)};
      one[0] = 1;
      const auto kept = outputs.sum().item<double>();
      // The fold divides by all units, the reference by those kept.
      Tensor s = layer.apply(weight, inputs.reshape(one)).flatten() * outputs.flatten();
      s = (s * static_cast<double>(s.numel()) / kept).contiguous();
      stats::LayerShape shape;
      shape.units = s.numel();
      shape.activation = group.attribute<std::string>("activation") == "relu" ? stats::Activation::relu
                                                                              : stats::Activation::identity;
      const stats::LayerPlan plan(shape);
      stats::LayerFold fold(plan, Key(0));
      const auto span = [](const Tensor& t) {
        return std::span(t.const_data_ptr<double>(), static_cast<std::size_t>(t.numel()));
      };
      fold.set_layer_change(0, stats::View::of(span(s)));
      fold.add(stats::View::of(span(y), y.size(0)));
      const auto expected = masks.dataset("gradavg").read<double>({3});
      double scale = 0;
      for (const double value : expected) scale = std::max(scale, std::abs(value));
      for (const auto f : {stats::Function::raw, stats::Function::absolute, stats::Function::square}) {
        const double difference =
            std::abs(at(fold.row(0), f) - expected[static_cast<std::size_t>(f)]) / scale;
        EXPECT_LE(difference, 1e-10) << name << " " << subset;
        worst = std::max(worst, difference);
      }
      ++cases;
    }
  }
  EXPECT_GT(cases, 20);
  RecordProperty("largest_deviation", std::to_string(worst));
}

TEST(Imperfect, LayerChangeIsWhatDifferentiationGivesForTheUnitsThatAreSeen) {
  constexpr double fraction = 0.2;
  constexpr std::uint64_t seed = 5;
  const auto network = small_network("KNet4", true);
  const auto rule = rule_on(*network, "sgdm");
  Tensor probe = torch::linspace(-50, 50, 4 * 3 * 16 * 16).sin().mul(50).reshape({4, 3, 16, 16});
  network->set_training(false);
  NetworkObserver observer(*network, {{}, {fraction, 0.0, seed}}, probe.narrow(0, 0, 2));
  std::vector<Tensor> inputs;
  {
    const torch::NoGradGuard no_grad;
    observer.begin(nullptr, Key(3));
    const nn::LayerSink measure = observer.sink();
    network->set_sink([&](std::size_t index, const Tensor& input, const Tensor& output) {
      inputs.push_back(input.clone());
      measure(index, input, output);
    });
    network->forward(probe);
    network->set_sink({});
  }
  const auto rows = observer.rows(1);
  for (std::size_t l = 0; l < rows.size(); ++l) {
    nn::ObservedLayer& layer = *network->layers()[l];
    const auto mask = [](std::int64_t n, std::uint64_t units_seed) {
      const stats::UnitSubset subset(n, stats::kept_count(n, fraction), units_seed);
      Tensor result = torch::zeros({n}, torch::kFloat32);
      for (std::int64_t i = 0; i < n; ++i)
        if (subset[i]) result[i] = 1;
      return result;
    };
    const Tensor kept_inputs = mask(inputs[l][0].numel(), seed);
    double mean = 0, mean_square = 0;
    for (std::int64_t i = 0; i < inputs[l].size(0); ++i) {
      const Tensor x = inputs[l].narrow(0, i, 1).clone().requires_grad_(true);
      const Tensor y = layer.forward(x).contiguous().flatten();
      const Tensor kept_outputs = mask(y.numel(), seed + 1);
      const Tensor total = (y * kept_outputs).sum() / kept_outputs.sum();
      const Tensor gradient = torch::autograd::grad({total}, {x})[0].contiguous().flatten();
      const auto g = (gradient * kept_inputs).to(torch::kFloat64).sum().item<double>();
      mean += g / 4;
      mean_square += g * g / 4;
    }
    EXPECT_NEAR(at(rows[l], stats::Function::raw), mean, 1e-5 * std::sqrt(mean_square)) << l;
    EXPECT_NEAR(at(rows[l], stats::Function::square), mean_square, 1e-5 * mean_square) << l;
  }
}

}  // namespace
}  // namespace lrid::observe
