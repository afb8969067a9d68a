#include <algorithm>
#include <cmath>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/nn/architecture.hpp>

#include "feedback.hpp"
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
    // A deviation of 1e-4 (conv1 of KNets) or a scale of 0 (of residual blocks) leaves nothing to compare.
    const torch::NoGradGuard no_grad;
    if (is("KNet")) network->layers()[0]->weight.mul_(2000);
    for (const Parameter& parameter : network->parameters())
      if (parameter.name.ends_with("/scale")) parameter.tensor.masked_fill_(parameter.tensor == 0, 0.5);
    return network;
  }
  [[nodiscard]] static bool is(const std::string& family) { return GetParam().starts_with(family); }
  /// Convolutions of a residual block, beside the projection.
  [[nodiscard]] static std::size_t block_convolutions() { return is("ResNet-50") ? 3 : 2; }
};

TEST_P(EveryArchitecture, TakesAnyInputThatItsKernelsFit) {
  for (const InputShape& shape :
       {InputShape{3, 32, 32}, InputShape{1, 11, 50}, InputShape{2, 7, 50}, InputShape{5, 1, 1}}) {
    if (is("AlexNet") && shape.height < 11) {  // its first convolution does not pad
      EXPECT_THROW(build({.input = shape}), InputError);
      continue;
    }
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

TEST_P(EveryArchitecture, EndsInAContrastiveHeadWhereAsked) {
  const NetworkSpec plain{.input = {3, 20, 18}};
  NetworkSpec spec = plain;
  spec.contrastive_head = true;
  const auto supervised = build(plain), network = build(spec);
  EXPECT_EQ(network->layers().size(), supervised->layers().size() + 1);
  EXPECT_EQ(network->layers().back()->spec().name, "head_contrastive/nl_1");
  EXPECT_EQ(network->positions().back(), 2);
  for (std::size_t i = 0; i + 1 < supervised->layers().size(); ++i)
    EXPECT_EQ(network->positions()[i], supervised->positions()[i]);
  const Tensor output = network->forward(normal({4, 3, 20, 18}, 3).to(torch::kFloat32));
  EXPECT_EQ(output.sizes(), (std::vector<std::int64_t>{4, 128}));
  EXPECT_LT(output.mean(0).abs().max().item<double>(), 1e-5);  // no shift, so batch norm leaves no mean
  output.square().sum().backward();
  for (const Parameter& parameter : network->parameters()) EXPECT_TRUE(parameter.tensor.grad().defined());
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
      // Large ones take seconds: two of the four.
      if (!is("KNet") && !channels_last) continue;
      // Of 50 layers, batch norms over four values make more of single precision's rounding than there is to
      // see.
      if (is("ResNet-50") && type == torch::kFloat32) continue;
      const auto found = gradients(type, channels_last);
      SCOPED_TRACE(::testing::Message() << type << (channels_last ? ", channels-last" : ""));
      for (std::size_t i = 0; i < reference.size(); ++i)
        expect_close(found[i], reference[i], type == torch::kFloat64 ? 1e-10 : 1e-3);
    }
}

/// architectures.md: the distribution of each layer's kernel.
struct Distribution {
  double sd;
  double limit;  // no value lies beyond
};
Distribution expected_distribution(const std::string& architecture, const LayerSpec& spec, std::size_t index,
                                   const Fans& fans) {
  const double in = static_cast<double>(fans.in), out = static_cast<double>(fans.out), none = INFINITY;
  const Distribution glorot{std::sqrt(2 / (in + out)), std::sqrt(6 / (in + out))};
  const double uncut_share = 0.87962566;
  if (architecture.starts_with("KNet")) return {index == 0 ? 1e-4 : 0.01, none};
  if (spec.name.starts_with("head_contrastive")) return {0.01, none};
  if (architecture.starts_with("AlexNet"))
    return spec.kind == LayerKind::conv ? glorot : Distribution{0.01 * uncut_share, 0.02};
  if (spec.kind == LayerKind::conv) return {std::sqrt(1 / in), 2 * std::sqrt(1 / in) / uncut_share};
  return architecture.ends_with("v2") ? glorot : Distribution{0.01, none};
}

/// Mixed precision: activations stay short from layer to layer; gradients are whole, and much the same.
TEST_P(EveryArchitecture, TrainsInBfloat16) {
  const NetworkSpec spec{.input = {3, 32, 32}, .classes = 10};
  const auto exact = build(spec), mixed = build(spec);
  for (const auto& network : {exact.get(), mixed.get()}) network->set_dropout_key(Key(3));
  for (const auto& layer : mixed->layers()) {
    layer->arithmetic = torch::kBFloat16;
    layer->capture.keep_forward = true;
  }
  const Tensor x = normal({16, 3, 32, 32}, 5).to(torch::kFloat32);
  const Tensor target = torch::arange(16, torch::kInt64).remainder(10);
  const auto pass = [&](Network& network) {
    const Tensor logits = network.forward(x).to(torch::kFloat32);
    at::cross_entropy_loss(logits, target).backward();
    return logits.detach();
  };
  mixed->set_sink([](std::size_t, const Tensor&, const Tensor& output) {
    EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
  });
  const Tensor reference = pass(*exact), found = pass(*mixed);
  // Of sixteen samples, batch norms amplify what rounding has left, the more of them the more.
  const bool is_deep = is("ResNet-50");
  EXPECT_LT(((found - reference).norm() / reference.norm()).item<double>(), is_deep ? 0.5 : 0.1);
  const auto cosine = [](const Tensor& a, const Tensor& b) {
    return (a.flatten().dot(b.flatten()) / (a.norm() * b.norm())).item<double>();
  };
  EXPECT_GT(cosine(exact->layers().back()->weight.grad(), mixed->layers().back()->weight.grad()),
            is_deep ? 0.85 : 0.97);
  for (std::size_t i = 0; i < mixed->layers().size(); ++i) {
    const ObservedLayer& layer = *mixed->layers()[i];
    EXPECT_EQ(layer.capture.preactivation.scalar_type(), torch::kFloat32);
    EXPECT_EQ(layer.weight.grad().scalar_type(), torch::kFloat32);
    if (!is("ResNet")) {
      EXPECT_GT(cosine(exact->layers()[i]->weight.grad(), layer.weight.grad()), 0.97);
    }
  }
}

TEST_P(EveryArchitecture, InitialValuesFollowTheTableAndTheKey) {
  const auto built = [&](std::uint64_t seed, bool contrastive) {
    return architectures()
        .at(GetParam())
        .build({.contrastive_head = contrastive, .initial_values = Key(seed)});
  };
  const auto network = built(5, false), same = built(5, true);
  const ObservedLayer& first = *network->layers()[0];
  EXPECT_FALSE(first.draw_kernel(Key(6)).equal(first.weight));
  for (const auto* checked : {network.get(), same.get()})
    for (std::size_t i = 0; i < checked->layers().size(); ++i) {
      const ObservedLayer& layer = *checked->layers()[i];
      SCOPED_TRACE(layer.spec().name);
      const auto [sd, limit] = expected_distribution(GetParam(), layer.spec(), i, fans(layer.weight.sizes()));
      const Tensor w = layer.weight.detach();
      const double root_n = std::sqrt(static_cast<double>(w.numel()));
      EXPECT_NEAR(w.mean().item<double>(), 0, 5 * sd / root_n);
      EXPECT_NEAR(w.std().item<double>(), sd, 4 * sd / root_n);
      EXPECT_LE(w.abs().max().item<double>(), limit * (1 + 1e-6));
      if (std::isfinite(limit)) {
        EXPECT_GT(w.abs().max().item<double>(), 0.98 * limit);
      }
      if (layer.bias.defined()) {
        const bool lifted = is("AlexNet") && (layer.spec().name == "fc6" || layer.spec().name == "fc7");
        EXPECT_TRUE(layer.bias.equal(torch::full_like(layer.bias, lifted ? 0.1 : 0.0)));
      }
      if (checked == same.get() && i + 2 < same->layers().size()) {
        EXPECT_TRUE(layer.weight.equal(network->layers()[i]->weight));
      }
    }
  for (const Parameter& parameter : network->parameters())
    if (parameter.name.ends_with("/scale")) {
      const bool silent = !GetParam().ends_with("v2") && is("ResNet") &&
                          parameter.name.ends_with(fmt::format("conv{}/bn/scale", block_convolutions()));
      EXPECT_EQ(parameter.tensor.min().item<double>(), silent ? 0 : 1) << parameter.name;
      EXPECT_EQ(parameter.tensor.max().item<double>(), silent ? 0 : 1) << parameter.name;
    }
}

/// A mark for each hidden layer's nonlinearity: of every layer but the last, where a projection shares the
/// mark of the convolution it is added to.
TEST_P(EveryArchitecture, MarksEveryHiddenNonlinearityOnce) {
  const auto network = build({.input = {3, 24, 20}, .contrastive_head = true});
  const std::vector<HiddenPlace> places = network->hidden_places();
  std::set<std::size_t> marked, expected;
  for (const HiddenPlace& place : places) EXPECT_TRUE(marked.insert(place.layer).second);
  const bool v2 = GetParam().ends_with("v2");
  for (std::size_t i = 0; i + 1 < network->layers().size(); ++i)
    if (const std::string& name = network->layers()[i]->spec().name;
        !(name.starts_with("block") && name.ends_with("conv0")))
      expected.insert(i);
  EXPECT_EQ(marked, expected);
  EXPECT_TRUE(network->training());
  // Before pooling; but where the pool itself comes before the nonlinearity, after it.
  const auto pooled_first = is("KNet") || v2;
  std::int64_t rows = 24;
  if (is("AlexNet")) rows = (24 - 11) / 4 + 1;
  if (is("ResNet")) rows = 12;
  EXPECT_EQ(places.front().shape[1], pooled_first ? (rows + 1) / 2 : rows);
}

/// Under direct feedback nothing travels from layer to layer: a layer's gradient is that of its own place's
/// error.
TEST_P(EveryArchitecture, DirectFeedbackReachesEveryLayerByItsOwnPlaceAlone) {
  const auto network = build({.input = {3, 12, 12}, .options = torch::kFloat64});
  const Tensor x = normal({3, 3, 12, 12}, 4);
  const auto gradients = [&](std::int64_t silent_place) {
    const std::vector<HiddenPlace> places = network->hidden_places();
    network->set_direct_feedback([&, silent_place](std::size_t layer, const Tensor& error) {
      const auto place = std::ranges::find(places, layer, &HiddenPlace::layer);
      const std::int64_t units = c10::multiply_integers(place->shape);
      const Tensor map = normal({error.size(1), 1}, layer).expand({-1, units});
      return error.mm(map) * (static_cast<std::int64_t>(layer) == silent_place ? 0.0 : 1.0);
    });
    for (const auto& layer : network->layers())
      layer->set_feedback(std::make_shared<const testing::FixedKernel>());
    network->forward(x).square().sum().backward();
    std::vector<Tensor> result;
    for (const auto& layer : network->layers()) result.push_back(layer->weight.grad().clone());
    for (const Parameter& parameter : network->parameters()) {
      EXPECT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
      parameter.tensor.mutable_grad().reset();
    }
    return result;
  };
  const auto all = gradients(-1);
  const std::size_t n = network->layers().size();
  const std::vector<HiddenPlace> places = network->hidden_places();
  for (std::size_t k = 0; k < places.size(); k += std::max<std::size_t>(1, places.size() / 4)) {
    const HiddenPlace& place = places[k];
    const auto without = gradients(static_cast<std::int64_t>(place.layer));
    for (std::size_t i = 0; i < n; ++i) {
      const std::string& name = network->layers()[i]->spec().name;
      // Layers that end in this place: its own, and the projection that is added there.
      const bool own = i == place.layer || (name.starts_with("block") && name.ends_with("conv0") &&
                                            place.layer == i + block_convolutions());
      if (own)
        EXPECT_EQ(without[i].abs().max().item<double>(), 0) << name;
      else
        EXPECT_TRUE(without[i].equal(all[i])) << name << " under " << place.layer;
    }
  }
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

/// Those of 101 and 152 layers are those of 50 with more blocks, and take long: only their parameters are
/// counted.
std::vector<std::string> all_but_the_deepest() {
  std::vector<std::string> names = architectures().names();
  std::erase_if(names, [](const std::string& name) {
    return name.starts_with("ResNet-101") || name.starts_with("ResNet-152");
  });
  return names;
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryArchitecture, ::testing::ValuesIn(all_but_the_deepest()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

/// He et al. 2015's networks as torchvision has them (models/resnet.py); of 18 and 34 layers, ours have a
/// projection in the first group, too.
TEST(ResNet, HasTheParametersOfTheLiterature) {
  struct Expected {
    std::string name;
    std::int64_t parameters;
    std::size_t layers;
  };
  const std::int64_t projection = 64 * 64 + 2 * 64;
  for (const auto& [name, parameters, layers] :
       {Expected{"ResNet-18", 11'689'512 + projection, 22},
        Expected{"ResNet-34", 21'797'672 + projection, 38}, Expected{"ResNet-50", 25'557'032, 54},
        Expected{"ResNet-101", 44'549'160, 105}, Expected{"ResNet-152", 60'192'808, 156}}) {
    const auto network = architectures().at(name).build({.input = {3, 224, 224}, .classes = 1000});
    const auto count = [](const Network& of) {
      std::int64_t all = 0;
      for (const Parameter& parameter : of.parameters()) all += parameter.tensor.numel();
      return all;
    };
    EXPECT_EQ(count(*network), parameters) << name;
    EXPECT_EQ(network->layers().size(), layers) << name;
    network->set_training(false);
    EXPECT_EQ(network->forward(torch::zeros({1, 3, 224, 224})).size(1), 1000) << name;
  }
}

}  // namespace
}  // namespace lrid::nn
