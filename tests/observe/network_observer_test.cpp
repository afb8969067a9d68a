#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/observe/network_observer.hpp>

#include "networks.hpp"

namespace lrid::observe {
namespace {

using nn::Tensor;
using stats::Function;
using stats::Measure;
using stats::Statistic;

/// The seven statistics of a set, as observables.md writes them down.
std::array<double, 7> literal(Tensor v) {
  v = v.to(torch::kFloat64).flatten();
  const auto n = v.numel();
  const double mean = v.mean().item<double>();
  const double variance = (v - mean).pow(2).mean().item<double>();
  const Tensor descending = std::get<0>(v.sort(0, true));
  const auto order = [&](double q) {
    return descending[static_cast<std::int64_t>(std::nearbyint(static_cast<double>(n - 1) * (1 - q)))]
        .item<double>();
  };
  return {v.norm().item<double>(),
          mean,
          variance,
          order(0.5),
          order(0.75),
          3 * (mean - order(0.5)) / std::sqrt(variance),
          (v - mean).pow(4).mean().item<double>() / variance / variance};
}

/// g of each stimulus by differentiating the layer: the mean over outputs of the sum over inputs of ∂y/∂x.
std::vector<double> differentiated(nn::ObservedLayer& layer, const Tensor& input) {
  std::vector<double> g;
  for (std::int64_t i = 0; i < input.size(0); ++i) {
    const Tensor x = input.narrow(0, i, 1).clone().requires_grad_(true);
    const Tensor y = layer.forward(x);
    const Tensor gradient = torch::autograd::grad({y.mean()}, {x})[0];
    g.push_back(gradient.to(torch::kFloat64).sum().item<double>());
  }
  return g;
}

stats::ObservableRow literal_row(nn::ObservedLayer& layer, const Tensor& input, const Tensor& output) {
  stats::ObservableRow row;
  row.fill(0);
  const auto functions = {Function::raw, Function::absolute, Function::square};
  const auto apply = [](const Tensor& v, Function f) {
    const Tensor wide = v.to(torch::kFloat64);
    return f == Function::raw ? wide : f == Function::absolute ? wide.abs() : wide * wide;
  };
  const auto at = [&](Measure m, Function f, int s) -> double& {
    return row[static_cast<std::size_t>(stats::observable_index(m, f, static_cast<Statistic>(s)))];
  };
  const auto stimuli = static_cast<double>(output.size(0));
  for (const Function f : functions) {
    const auto weights = literal(apply(layer.weight.detach(), f));
    for (int s = 0; s < 7; ++s) at(Measure::weight, f, s) = weights[static_cast<std::size_t>(s)];
    for (std::int64_t i = 0; i < output.size(0); ++i) {
      const auto units = literal(apply(output[i], f));
      for (int s = 0; s < 7; ++s)
        at(Measure::activation, f, s) += units[static_cast<std::size_t>(s)] / stimuli;
    }
  }
  for (const double g : differentiated(layer, input)) {
    at(Measure::layer_change, Function::raw, static_cast<int>(Statistic::id)) += g / stimuli;
    at(Measure::layer_change, Function::absolute, static_cast<int>(Statistic::id)) += std::abs(g) / stimuli;
    at(Measure::layer_change, Function::square, static_cast<int>(Statistic::id)) += g * g / stimuli;
  }
  return row;
}

std::vector<stats::ObservableRow> observe(nn::Network& network, const rules::LearningRule& rule,
                                          const Tensor& probe,
                                          const std::vector<stats::Imperfection>& measurements,
                                          std::size_t measurement, std::int64_t chunk,
                                          bool backward_kernel = false) {
  const torch::NoGradGuard no_grad;
  network.set_training(false);
  NetworkObserver observer(network, measurements, probe.narrow(0, 0, 2));
  observer.begin(backward_kernel ? &rule : nullptr, Key(3));
  network.set_sink(observer.sink());
  for (std::int64_t begin = 0; begin < probe.size(0); begin += chunk)
    network.forward(probe.narrow(0, begin, std::min(chunk, probe.size(0) - begin)));
  network.set_sink({});
  return observer.rows(measurement);
}

Tensor probe_images() {
  Tensor probe = torch::empty({7, 3, 16, 16});
  auto* data = probe.mutable_data_ptr<float>();
  const Key key(4);
  for (std::int64_t i = 0; i < probe.numel(); ++i)
    data[i] = static_cast<float>(50 * key.normal(static_cast<std::uint64_t>(i)));
  return probe;
}

class NetworkObserverOn : public ::testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(NetworkObserverOn, AgreesWithTheDefinitions) {
  const auto& [name, channels_last] = GetParam();
  const auto network = small_network(name, channels_last);
  const auto rule = rule_on(*network, "sgdm");
  const Tensor probe = probe_images();

  std::vector<Tensor> inputs, outputs;
  {
    const torch::NoGradGuard no_grad;
    network->set_training(false);
    network->set_sink([&](std::size_t, const Tensor& input, const Tensor& output) {
      inputs.push_back(input.clone());
      outputs.push_back(output.clone());
    });
    network->forward(probe);
    network->set_sink({});
  }
  const auto rows = observe(*network, *rule, probe, {stats::Imperfection{}}, 0, 3);
  ASSERT_EQ(rows.size(), network->layers().size());
  for (std::size_t layer = 0; layer < rows.size(); ++layer) {
    const auto expected = literal_row(*network->layers()[layer], inputs[layer], outputs[layer]);
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(rows[layer][k], expected[k], 2e-5 * std::abs(expected[k]) + 1e-12)
          << network->layers()[layer]->spec().name << " " << stats::observables()[k].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, NetworkObserverOn,
                         ::testing::Combine(::testing::Values("KNet4", "KNet5-LRN"), ::testing::Bool()),
                         [](const auto& test) {
                           std::string name =
                               std::get<0>(test.param) + (std::get<1>(test.param) ? "Last" : "First");
                           std::erase(name, '-');
                           return name;
                         });

TEST(NetworkObserver, ImperfectCellsDoNotDependOnTheMemoryLayout) {
  const std::vector<stats::Imperfection> measurements = {{}, {0.3, 0.0, 5}, {0.5, 0.1, 5}};
  const auto first = small_network("KNet4", false), last = small_network("KNet4", true);
  const auto rule_first = rule_on(*first, "sgdm"), rule_last = rule_on(*last, "sgdm");
  const Tensor probe = probe_images();
  for (std::size_t measurement = 1; measurement < measurements.size(); ++measurement) {
    const auto a = observe(*first, *rule_first, probe, measurements, measurement, 7);
    const auto b = observe(*last, *rule_last, probe, measurements, measurement, 2);
    const auto perfect = observe(*first, *rule_first, probe, measurements, 0, 7);
    for (std::size_t layer = 0; layer < a.size(); ++layer)
      for (std::size_t k = 0; k < a[layer].size(); ++k)
        EXPECT_NEAR(a[layer][k], b[layer][k], 1e-4 * std::abs(a[layer][k]) + 1e-9)
            << measurement << " " << layer << " " << stats::observables()[k].name;
    EXPECT_NE(a[1][0], perfect[1][0]);
  }
}

TEST(NetworkObserver, TheStudysReadingTakesSFromTheBackwardKernel) {
  const auto network = small_network("KNet4", true);
  const auto rule = rule_on(*network, "fa");
  const Tensor probe = probe_images();
  const auto ours = observe(*network, *rule, probe, {stats::Imperfection{}}, 0, 7);
  const auto study = observe(*network, *rule, probe, {stats::Imperfection{}}, 0, 7, true);
  const int column = stats::observable_index("gradavgsq_id");
  for (std::size_t layer = 0; layer < ours.size(); ++layer) {
    for (int k = 0; k < stats::observable_count; ++k) {
      const bool change = stats::observables()[static_cast<std::size_t>(k)].measure == Measure::layer_change;
      EXPECT_EQ(ours[layer][static_cast<std::size_t>(k)] == study[layer][static_cast<std::size_t>(k)],
                !change);
    }
  }
  // With B = W the two readings are one.
  {
    const torch::NoGradGuard no_grad;
    for (std::size_t layer = 0; layer < ours.size(); ++layer)
      rule->backward_kernel(layer).copy_(network->layers()[layer]->weight);
  }
  const auto tied = observe(*network, *rule, probe, {stats::Imperfection{}}, 0, 7, true);
  EXPECT_EQ(tied[1][static_cast<std::size_t>(column)], ours[1][static_cast<std::size_t>(column)]);
}

}  // namespace
}  // namespace lrid::observe
