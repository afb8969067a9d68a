// The layer-wise losses: the unit cases of rules.h5, and what R may and may not depend on.

#include "rules/layerwise_loss.hpp"

#include "coefficients.hpp"
#include "nn/tensors.hpp"
#include "testing.hpp"

namespace lrid::rules {
namespace {

using testing::close;
using testing::normal;
using testing::read_tensor;

/// learning-rules.md: which terms α, β and γ weigh.
LayerwiseWeights weights_of(const std::string& rule, const std::vector<double>& c) {
  if (rule == "IA") return {.amp = c[0], .null = c[1], .decay = c[2]};
  if (rule == "WM") return {.amp = c[1], .decay = c[0]};
  if (rule == "SA") return {.decay = c[0], .self = c[1]};
  if (rule == "AA") return {.amp = c[1], .sparse = c[0]};
  return {.decay = c[0]};  // KP
}

TEST(GoldenLayerwiseLoss, UnitCases) {
  const auto path = testing::golden_path("rules.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("rules.h5");
  std::map<std::string, LayerwiseWeights> rules;
  for (const std::string rule : {"IA", "WM", "SA", "AA", "KP"})
    rules[rule] = weights_of(rule, testing::coefficients(*path, rule));
  const io::hdf5::InputFile file(*path);
  const io::hdf5::Group units = file.root().group("unit");
  for (const std::string& name : units.names()) {
    SCOPED_TRACE(name);
    const io::hdf5::Group unit = units.group(name);
    const Tensor w = read_tensor(unit, "W"), b = read_tensor(unit, "B"), x = read_tensor(unit, "x"),
                 fwd = read_tensor(unit, "fwd");
    nn::LayerSpec spec{.name = name, .in = w.size(1), .out = w.size(0)};
    spec.kind = unit.attribute<std::string>("kind") == "conv" ? nn::LayerKind::conv : nn::LayerKind::fc;
    if (spec.kind == nn::LayerKind::conv) {
      spec.kernel = w.size(2);
      spec.stride = unit.attribute<std::int64_t>("stride");
      const auto padding = unit.attribute<std::string>("padding");
      spec.padding = padding == "SAME"    ? nn::Padding::same
                     : padding == "VALID" ? nn::Padding::valid
                                          : nn::Padding::fixed;
    }
    spec.bias = unit.has_dataset("b");
    nn::ObservedLayer layer(spec, Key(0), torch::kFloat64);
    {
      const torch::NoGradGuard no_grad;
      layer.weight.copy_(w);
      if (spec.bias) layer.bias.copy_(read_tensor(unit, "b"));
    }
    const std::vector<std::pair<std::string, LayerwiseWeights>> terms = {{"amp", {.amp = 1}},
                                                                         {"null", {.null = 1}},
                                                                         {"decay", {.decay = 1}},
                                                                         {"sparse", {.sparse = 1}},
                                                                         {"self", {.self = 1}}};
    for (const auto& [term, weights] : terms)
      EXPECT_TRUE(
          close(layerwise_loss(layer, b, x, fwd, weights).value, read_tensor(unit, "terms/" + term), 1e-10))
          << term;
    for (const auto& [rule, weights] : rules) {
      SCOPED_TRACE(rule);
      const auto [value, gradient] = layerwise_loss(layer, b, x, fwd, weights);
      EXPECT_TRUE(close(value, read_tensor(unit, "R/" + rule), 1e-10));
      EXPECT_TRUE(close(gradient, read_tensor(unit, "dR_dB/" + rule), 1e-10));
    }
  }
}

struct Fixture {
  Fixture() {
    nn::LayerSpec spec{
        .name = "layer", .kind = nn::LayerKind::conv, .in = 2, .out = 3, .kernel = 3, .stride = 2};
    spec.initial = {.kind = nn::Initializer::Kind::normal, .sd = 0.4};
    layer = std::make_unique<nn::ObservedLayer>(spec, Key(1), torch::kFloat64);
    const torch::NoGradGuard no_grad;
    layer->bias.copy_(normal({3}, 8));
    fwd = layer->apply(layer->weight, x) + layer->bias.view({1, -1, 1, 1});
  }
  std::unique_ptr<nn::ObservedLayer> layer;
  Tensor x = normal({4, 2, 6, 5}, 2), b = normal({3, 2, 3, 3}, 3), fwd;
};

TEST(LayerwiseLoss, GradientMatchesFiniteDifferences) {
  const Fixture f;
  for (const LayerwiseWeights& weights : std::vector<LayerwiseWeights>{
           {.amp = 0.3, .null = 0.2, .decay = 0.5, .sparse = 0.1, .self = 0.7, .reversed_null = 0.4},
           {.amp = 0.3},
           {.amp = 0.3, .sparse = 0.1},
           {.amp = 0.3, .reversed_null = 0.2, .amp_bias = false},
           {.amp = 0.3, .null = 0.2, .amp_bias = false}}) {
    const auto value = [&](const Tensor& b) {
      return layerwise_loss(*f.layer, b, f.x, f.fwd, weights).value;
    };
    EXPECT_TRUE(close(layerwise_loss(*f.layer, f.b, f.x, f.fwd, weights).gradient,
                      testing::finite_differences(value, f.b), 1e-8));
  }
}

/// However terms share their work, R is the weighted sum of what each is by itself.
TEST(LayerwiseLoss, IsTheSumOfItsTerms) {
  const Fixture f;
  const LayerwiseWeights all{
      .amp = 0.3, .null = 0.2, .decay = 0.5, .sparse = 0.1, .self = 0.7, .reversed_null = 0.4};
  Tensor value = torch::zeros({}, torch::kFloat64), gradient = torch::zeros_like(f.b);
  for (double LayerwiseWeights::*const term :
       {&LayerwiseWeights::amp, &LayerwiseWeights::null, &LayerwiseWeights::decay, &LayerwiseWeights::sparse,
        &LayerwiseWeights::self, &LayerwiseWeights::reversed_null}) {
    LayerwiseWeights one;
    one.*term = all.*term;
    const LayerwiseLoss part = layerwise_loss(*f.layer, f.b, f.x, f.fwd, one);
    value += part.value;
    gradient += part.gradient;
  }
  const LayerwiseLoss whole = layerwise_loss(*f.layer, f.b, f.x, f.fwd, all);
  EXPECT_TRUE(close(whole.value, value, 1e-13));
  EXPECT_TRUE(close(whole.gradient, gradient, 1e-13));
}

/// x·Rec is Fwd·Bwd without Bwd's bias; ‖Wᵀ·Bwd‖² by its words.
TEST(LayerwiseLoss, InformationAlignmentsOtherFormsAreWhatTheySay) {
  const Fixture f;
  const Tensor rec = f.layer->apply_transposed(f.b, f.fwd, f.x.sizes());
  for (const double null : {0.0, 0.2}) {
    const double with = layerwise_loss(*f.layer, f.b, f.x, f.fwd, {.amp = 1, .null = null, .amp_bias = false})
                            .value.item<double>();
    EXPECT_NEAR(with, (-(f.x * rec).sum() + null * rec.square().sum()).item<double>() / 4, 1e-11);
  }
  const torch::NoGradGuard no_grad;
  const Tensor bwd = f.layer->apply(f.b, f.x) + f.layer->bias.view({1, -1, 1, 1});
  const Tensor down = f.layer->apply_transposed(f.layer->weight, bwd, f.x.sizes());
  EXPECT_TRUE(close(layerwise_loss(*f.layer, f.b, f.x, f.fwd, {.reversed_null = 1}).value,
                    down.square().sum() / 4, 1e-13));
}

TEST(LayerwiseLoss, ReachesNothingButB) {
  Fixture f;
  f.x.set_requires_grad(true);
  const auto [value, gradient] =
      layerwise_loss(*f.layer, f.b, f.x, f.fwd, {.amp = 1, .null = 1, .sparse = 1});
  EXPECT_FALSE(value.requires_grad());
  EXPECT_FALSE(gradient.requires_grad());
  EXPECT_FALSE(f.layer->weight.grad().defined());
  EXPECT_FALSE(f.layer->bias.grad().defined());
  EXPECT_FALSE(f.x.grad().defined());
}

/// R_SA = α(‖W‖² + ‖B‖²) − β·W·B is least at B = β/(2α)·W.
TEST(LayerwiseLoss, SymmetricAlignmentRestsWhereBIsProportionalToW) {
  const Fixture f;
  const LayerwiseWeights sa{.decay = 1e-3, .self = 2e-3};
  const Tensor gradient = layerwise_loss(*f.layer, f.layer->weight.detach(), f.x, f.fwd, sa).gradient;
  EXPECT_LT(gradient.abs().max().item<double>(), 1e-18);
  Tensor b = f.b.clone();
  for (int step = 0; step < 200; ++step) b -= 50 * layerwise_loss(*f.layer, b, f.x, f.fwd, sa).gradient;
  EXPECT_TRUE(close(b, f.layer->weight, 1e-8));
}

}  // namespace
}  // namespace lrid::rules
