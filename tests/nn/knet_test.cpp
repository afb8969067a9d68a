#include <lrid/core/error.hpp>
#include <lrid/nn/architecture.hpp>

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::close;
using testing::normal;

class EveryArchitecture : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::unique_ptr<Network> build(NetworkSpec spec) const {
    spec.initial_values = Key(1);
    auto network = architectures().at(GetParam()).build(spec);
    // conv1's deviation of 1e-4 leaves nothing to compare.
    const torch::NoGradGuard no_grad;
    network->layers()[0]->weight.mul_(2000);
    return network;
  }
};

TEST_P(EveryArchitecture, TakesAnyInputSize) {
  for (const InputShape& shape :
       {InputShape{3, 32, 32}, InputShape{1, 28, 28}, InputShape{2, 7, 50}, InputShape{5, 1, 1}}) {
    const auto network = build({.input = shape, .classes = 7});
    const Tensor x = normal({4, shape.channels, shape.height, shape.width}, 3).to(torch::kFloat32);
    const Tensor logits = network->forward(x);
    EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{4, 7}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
    logits.square().sum().backward();
    for (const Parameter& parameter : network->parameters()) EXPECT_TRUE(parameter.tensor.grad().defined());
  }
}

TEST_P(EveryArchitecture, RefusesWhatMakesNoSense) {
  const auto& architecture = architectures().at(GetParam());
  EXPECT_THROW(static_cast<void>(architecture.build({.input = {0, 32, 32}})), InputError);
  EXPECT_THROW(static_cast<void>(architecture.build({.input = {3, 0, 32}})), InputError);
  EXPECT_THROW(static_cast<void>(architecture.build({.classes = 0})), InputError);
}

/// As `close`, but lets rounding be where nothing is: a bias right before a batch norm has no gradient.
void expect_close(const Tensor& found, const Tensor& reference, double tolerance) {
  if (reference.abs().max().item<double>() < 1e-12)
    EXPECT_LT(found.abs().max().item<double>(), tolerance);
  else
    EXPECT_TRUE(close(found, reference, tolerance));
}

TEST_P(EveryArchitecture, TypesAndLayoutsAgree) {
  const Tensor x = normal({4, 3, 20, 18}, 3);
  const auto gradients = [&](torch::ScalarType type, bool channels_last) {
    const auto network = build({.input = {3, 20, 18}, .options = type, .channels_last = channels_last});
    std::vector<Tensor> result = {network->forward(x.to(type))};
    result[0].square().sum().backward();
    for (const Parameter& parameter : network->parameters()) result.push_back(parameter.tensor.grad());
    for (const NamedTensor& buffer : network->buffers()) result.push_back(buffer.tensor);
    return result;
  };
  const auto reference = gradients(torch::kFloat64, false);
  for (const auto type : {torch::kFloat64, torch::kFloat32})
    for (const bool channels_last : {false, true}) {
      const auto found = gradients(type, channels_last);
      SCOPED_TRACE(::testing::Message() << type << (channels_last ? ", channels-last" : ""));
      for (std::size_t i = 0; i < reference.size(); ++i)
        expect_close(found[i], reference[i], type == torch::kFloat64 ? 1e-10 : 2e-4);
    }
}

TEST_P(EveryArchitecture, InitialValuesFollowTheTableAndTheKey) {
  const NetworkSpec spec{.initial_values = Key(5)};
  const auto network = architectures().at(GetParam()).build(spec),
             same = architectures().at(GetParam()).build(spec);
  for (std::size_t i = 0; i < network->layers().size(); ++i) {
    const ObservedLayer& layer = *network->layers()[i];
    const double sd = i == 0 ? 1e-4 : 0.01, n = static_cast<double>(layer.weight.numel());
    EXPECT_NEAR(layer.weight.detach().std().item<double>(), sd, sd * 4 / std::sqrt(2 * n));
    EXPECT_EQ(layer.bias.detach().abs().max().item<double>(), 0);
    EXPECT_TRUE(layer.weight.equal(same->layers()[i]->weight));
  }
  const auto other = architectures().at(GetParam()).build({.initial_values = Key(6)});
  EXPECT_FALSE(other->layers()[0]->weight.equal(network->layers()[0]->weight));
}

TEST_P(EveryArchitecture, OffersEveryLayersOutputInOrder) {
  const auto network = build({});
  network->set_training(false);
  std::vector<std::size_t> seen;
  network->set_sink([&](std::size_t index, const Tensor& input, const Tensor& output) {
    seen.push_back(index);
    const torch::NoGradGuard no_grad;
    EXPECT_TRUE(output.equal(network->layers()[index]->forward(input)));
  });
  network->forward(normal({2, 3, 32, 32}, 3).to(torch::kFloat32));
  std::vector<std::size_t> expected(network->layers().size());
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
  network->set_sink({});
  network->forward(normal({2, 3, 32, 32}, 3).to(torch::kFloat32));
  EXPECT_EQ(seen, expected);
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryArchitecture, ::testing::ValuesIn(architectures().names()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace lrid::nn
