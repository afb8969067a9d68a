#include <lrid/core/error.hpp>
#include <lrid/nn/layer.hpp>

#include "feedback.hpp"
#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::close;
using testing::FixedKernel;
using testing::normal;

struct LayerCase {
  std::string name;
  LayerSpec spec;
  std::vector<std::int64_t> x;
};

void PrintTo(const LayerCase& layer, std::ostream* out) {
  *out << layer.name;
}

LayerSpec conv(std::int64_t kernel, std::int64_t stride, Padding padding, bool bias = true,
               bool relu = false) {
  LayerSpec spec{
      .name = "layer", .kind = LayerKind::conv, .in = 3, .out = 4, .kernel = kernel, .stride = stride};
  spec.padding = padding;
  spec.bias = bias;
  spec.relu = relu;
  spec.initial = {Initializer::Kind::normal, 0.5};
  return spec;
}

LayerSpec fc(bool bias, bool relu) {
  LayerSpec spec{.name = "layer", .kind = LayerKind::fc, .in = 6, .out = 5};
  spec.bias = bias;
  spec.relu = relu;
  spec.initial = {Initializer::Kind::normal, 0.5};
  return spec;
}

const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> cases = {
      {"same", conv(3, 1, Padding::same), {2, 3, 5, 6}},
      {"same_relu", conv(5, 1, Padding::same, true, true), {2, 3, 5, 6}},
      {"same_even_kernel", conv(4, 1, Padding::same, false), {2, 3, 5, 4}},
      {"same_stride", conv(3, 2, Padding::same, true, true), {2, 3, 6, 5}},
      {"valid", conv(3, 2, Padding::valid), {2, 3, 7, 8}},
      {"fixed", conv(3, 2, Padding::fixed), {2, 3, 6, 7}},
      {"projection", conv(1, 2, Padding::fixed, false), {2, 3, 6, 5}},
      {"fc", fc(true, false), {3, 6}},
      {"fc_relu", fc(true, true), {3, 6}},
      {"fc_no_bias", fc(false, false), {3, 6}},
  };
  return cases;
}

class EveryLayer : public ::testing::TestWithParam<LayerCase> {
 protected:
  EveryLayer() {
    if (layer.bias.defined()) {
      const torch::NoGradGuard no_grad;
      layer.bias.copy_(normal(layer.bias.sizes(), 3));
    }
  }
  Tensor with_weight(const Tensor& w) const {
    ObservedLayer other(GetParam().spec, Key(0), torch::kFloat64);
    const torch::NoGradGuard no_grad;
    other.weight.copy_(w);
    if (other.bias.defined()) other.bias.copy_(layer.bias);
    return other.forward(x);
  }
  ObservedLayer layer{GetParam().spec, Key(1), torch::kFloat64};
  Tensor x = normal(GetParam().x, 2);
};

TEST_P(EveryLayer, GradientsMatchFiniteDifferences) {
  testing::expect_gradient([&](const Tensor& at) { return layer.forward(at); }, x);

  const Tensor y = layer.forward(x), e = normal(y.sizes(), 4);
  layer.weight.mutable_grad().reset();
  if (layer.bias.defined()) layer.bias.mutable_grad().reset();
  y.backward(e);
  EXPECT_TRUE(close(
      layer.weight.grad(),
      testing::finite_differences([&](const Tensor& w) { return (with_weight(w) * e).sum(); }, layer.weight),
      1e-7));
  if (!layer.bias.defined()) return;
  const auto with_bias = [&](const Tensor& b) {
    ObservedLayer other(GetParam().spec, Key(0), torch::kFloat64);
    other.weight.copy_(layer.weight);
    other.bias.copy_(b);
    return (other.forward(x) * e).sum();
  };
  EXPECT_TRUE(close(layer.bias.grad(), testing::finite_differences(with_bias, layer.bias), 1e-7));
}

TEST_P(EveryLayer, FeedbackChangesWhatIsSentDownAndNothingElse) {
  const Tensor b = layer.draw_kernel(Key(7));
  const auto pass = [&] {
    Tensor leaf = x.clone().set_requires_grad(true);
    const Tensor y = layer.forward(leaf);
    y.backward(normal(y.sizes(), 4));
    std::vector<Tensor> result = {y.detach(), leaf.grad(), layer.weight.grad().clone(),
                                  layer.bias.defined() ? layer.bias.grad().clone() : torch::zeros({1})};
    layer.weight.mutable_grad().reset();
    if (layer.bias.defined()) layer.bias.mutable_grad().reset();
    return result;
  };
  layer.capture.keep_error = true;
  const auto plain = pass();
  layer.set_feedback(std::make_shared<FixedKernel>(b));
  const auto fed_back = pass();
  EXPECT_TRUE(fed_back[0].equal(plain[0]));
  EXPECT_FALSE(close(fed_back[1], plain[1], 1e-3));
  EXPECT_TRUE(close(fed_back[1], layer.apply_transposed(b, layer.capture.error, x.sizes()), 1e-14));
  EXPECT_EQ(layer.capture.input_sizes, x.sizes().vec());
  EXPECT_TRUE(fed_back[2].equal(plain[2]));
  EXPECT_TRUE(fed_back[3].equal(plain[3]));

  layer.set_feedback(std::make_shared<FixedKernel>(layer.weight.detach()));
  EXPECT_TRUE(pass()[1].equal(plain[1]));  // B tied to W is backpropagation

  layer.set_feedback(std::make_shared<FixedKernel>(Tensor()));
  const auto silent = pass();
  EXPECT_FALSE(silent[1].defined());
  EXPECT_TRUE(silent[2].equal(plain[2]));
}

TEST_P(EveryLayer, CapturesInputAndPreactivationOfTrainingPasses) {
  layer.capture.keep_forward = true;
  const Tensor y = layer.forward(x);
  Tensor expected = layer.apply(layer.weight, x).detach();
  if (layer.bias.defined())
    expected =
        expected + (expected.dim() == 4 ? layer.bias.detach().view({1, -1, 1, 1}) : layer.bias.detach());
  EXPECT_TRUE(layer.capture.input.equal(x));
  EXPECT_TRUE(close(layer.capture.preactivation, expected, 1e-14));
  EXPECT_FALSE(layer.capture.preactivation.requires_grad());
  EXPECT_TRUE(close(y, GetParam().spec.relu ? expected.relu() : expected, 1e-14));

  layer.capture.input.reset();
  const torch::NoGradGuard no_grad;
  layer.forward(x);
  EXPECT_FALSE(layer.capture.input.defined());
}

/// Output and gradients in float32 and in channels-last memory stay close to float64 in plain memory.
TEST_P(EveryLayer, TypesAndLayoutsAgree) {
  const auto pass = [&](torch::ScalarType type, torch::MemoryFormat format) {
    ObservedLayer other(GetParam().spec, Key(1), torch::TensorOptions(type).memory_format(format));
    Tensor leaf = x.to(type, /*non_blocking=*/false, /*copy=*/true).set_requires_grad(true);
    const Tensor y = other.forward(leaf);
    y.backward(normal(y.sizes(), 4).to(type));
    if (other.weight.dim() == 4) {
      EXPECT_TRUE(other.weight.grad().is_contiguous(format));
    }
    return std::vector<Tensor>{y, leaf.grad(), other.weight.grad()};
  };
  const auto reference = pass(torch::kFloat64, torch::MemoryFormat::Contiguous);
  for (const auto type : {torch::kFloat64, torch::kFloat32})
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      const auto found = pass(type, format);
      for (std::size_t i = 0; i < reference.size(); ++i)
        EXPECT_TRUE(close(found[i], reference[i], type == torch::kFloat64 ? 1e-13 : 1e-5))
            << type << format << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Layers, EveryLayer, ::testing::ValuesIn(layer_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(ObservedLayer, SendsNothingIntoAnInputThatNeedsNoGradient) {
  ObservedLayer layer(conv(3, 1, Padding::same), Key(1), torch::kFloat64);
  bool asked = false;
  class Spy final : public FeedbackPath {
   public:
    explicit Spy(bool& asked) : asked_(asked) {}
    [[nodiscard]] Tensor kernel(const Tensor& weight) const override {
      asked_ = true;
      return weight;
    }

   private:
    bool& asked_;
  };
  layer.set_feedback(std::make_shared<Spy>(asked));
  layer.forward(normal({1, 3, 4, 4}, 2)).sum().backward();
  EXPECT_FALSE(asked);
  layer.forward(normal({1, 3, 4, 4}, 2).set_requires_grad(true)).sum().backward();
  EXPECT_TRUE(asked);
}

TEST(ObservedLayer, SaysThatAnInputIsTooSmall) {
  ObservedLayer layer(conv(11, 4, Padding::valid), Key(1), torch::kFloat64);
  EXPECT_THROW(layer.forward(normal({1, 3, 10, 20}, 2)), InputError);
}

TEST(ObservedLayer, BackwardKernelsAreIndependentDrawsOfTheSameDistribution) {
  LayerSpec spec = conv(5, 1, Padding::same);
  spec.in = spec.out = 32;
  const ObservedLayer layer(spec, Key(1), torch::kFloat64);
  const Tensor w = layer.weight.detach().flatten(), b = layer.draw_kernel(Key(2)).flatten();
  const double n = static_cast<double>(w.numel());
  EXPECT_LT(std::abs((w * b).mean().item<double>()) / 0.25, 5 / std::sqrt(n));
  EXPECT_NEAR(b.std().item<double>(), w.std().item<double>(), 0.5 * 5 / std::sqrt(n));
}

}  // namespace
}  // namespace lrid::nn
