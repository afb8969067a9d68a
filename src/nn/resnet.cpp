// Residual networks (architectures.md, "ResNet-18, ResNet-34", "ResNet-18v2, ResNet-34v2"): a 7×7/2
// convolution and a max pool, four groups of blocks of two 3×3 convolutions, a global average, the
// classifier. The first block of every group has a projection for its shortcut.
//
//     v1 (He et al. 2015)    y = ReLU(BN(conv2(ReLU(BN(conv1(x))))) + s(x)),      s = BN(projection(x)) or x
//     v2 (He et al. 2016)    h = ReLU(BN(x));  y = conv2(ReLU(BN(conv1(h)))) + s, s = projection(h) or x
#include "resnet.hpp"

#include <array>

#include <lrid/nn/pool.hpp>

#include "headed_network.hpp"

namespace lrid::nn {

namespace {

struct ResNetFamily {
  std::string name;
  std::array<std::size_t, 4> blocks;  // of each group
  bool preactivation;
};

constexpr std::array<std::int64_t, 4> group_widths = {64, 128, 256, 512};

class ResNet final : public HeadedNetwork {
 public:
  ResNet(const ResNetFamily& family, const NetworkSpec& spec) : HeadedNetwork(spec), family_(family) {
    const bool v2 = family_.preactivation;
    const BatchNorm::Settings plain{.decay = v2 ? 0.997 : 0.9};
    const auto add_norm = [&](const std::string& name, std::int64_t width,
                              const BatchNorm::Settings& settings) {
      add_batch_norm(name + "/bn", width, settings, spec.options);
    };
    const auto add_conv = [&](const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                              std::int64_t stride) {
      LayerSpec conv{.name = name,
                     .kind = LayerKind::conv,
                     .in = in,
                     .out = out,
                     .kernel = kernel,
                     .stride = stride,
                     .padding = Padding::fixed,
                     .bias = false};
      conv.initial = {.kind = Initializer::Kind::variance_scaling};
      add_layer(conv, spec.initial_values, spec.kernel_options());
    };

    std::int64_t in = group_widths[0];
    add_conv("conv0", spec.input.channels, in, 7, 2);
    if (!v2) add_norm("conv0", in, plain);
    for (std::size_t group = 0; group < group_widths.size(); ++group)
      for (std::size_t block = 0; block < family_.blocks[group]; ++block) {
        const std::string name = fmt::format("block_{}{}_{}", v2 ? "layer" : "group", group + 1, block);
        const std::int64_t out = group_widths[group], stride = group > 0 && block == 0 ? 2 : 1;
        if (v2) add_norm(name, in, plain);
        if (block == 0) {
          add_conv(name + "/conv0", in, out, 1, stride);
          if (!v2) add_norm(name + "/conv0", out, plain);
        }
        add_conv(name + "/conv1", in, out, 3, stride);
        add_norm(name + "/conv1", out, plain);
        add_conv(name + "/conv2", out, out, 3, 1);
        if (!v2) add_norm(name + "/conv2", out, {.decay = plain.decay, .initial_scale = 0});
        in = out;
      }
    if (v2) add_norm("final", in, plain);
    LayerSpec dense{.name = "dense", .kind = LayerKind::fc, .in = in, .out = spec.classes};
    dense.initial = {.kind = v2 ? Initializer::Kind::glorot_uniform : Initializer::Kind::normal, .sd = 0.01};
    add_head(dense, spec);
  }

 protected:
  /// Layers and batch norms are taken in the order in which they were added.
  Tensor compute(const Tensor& images) override {
    std::size_t layer = 0, norm = 0;
    const auto conv = [&](const Tensor& x) { return observe(layer++, x); };
    const auto normalize = [&](const Tensor& x) {
      return norms_[norm++]->forward(x, training_, /*relu=*/false);
    };
    /// Of the layer that came last.
    const auto normalize_and_rectify = [&](const Tensor& x) {
      return hidden(layer - 1, norms_[norm++]->forward(x, training_, /*relu=*/true));
    };

    const bool v2 = family_.preactivation;
    Tensor x = conv(images);
    x = max_pool(v2 ? x : normalize_and_rectify(x));
    for (const std::size_t blocks : family_.blocks)
      for (std::size_t block = 0; block < blocks; ++block) {
        if (v2) {
          const Tensor h = normalize_and_rectify(x);
          const Tensor s = block == 0 ? conv(h) : shortcut(x);
          const Tensor inner = normalize_and_rectify(conv(h));
          x = conv(inner) + s;
        } else {
          const Tensor s = block == 0 ? normalize(conv(x)) : x;
          const Tensor inner = normalize_and_rectify(conv(x));
          x = normalize(conv(inner)).add_(s).relu_();
          x = hidden(layer - 1, x);
        }
      }
    if (v2) x = normalize_and_rectify(x);
    return head(x.mean({2, 3}));
  }

 private:
  ResNetFamily family_;
};

Architecture architecture(ResNetFamily family, std::string summary) {
  const std::string name = family.name;
  return {.name = name,
          .summary = std::move(summary),
          .base_learning_rate = 0.1,
          .weight_decay = 1e-4,
          .build = [family = std::move(family)](const NetworkSpec& spec) -> std::unique_ptr<Network> {
            require_sensible(family.name, spec);
            return std::make_unique<ResNet>(family, spec);
          }};
}

}  // namespace

Architecture resnet18() {
  return architecture({"ResNet-18", {2, 2, 2, 2}, false}, "residual network of 18 layers, post-activation");
}
Architecture resnet34() {
  return architecture({"ResNet-34", {3, 4, 6, 3}, false}, "residual network of 34 layers, post-activation");
}
Architecture resnet18_v2() {
  return architecture({"ResNet-18v2", {2, 2, 2, 2}, true}, "residual network of 18 layers, pre-activation");
}
Architecture resnet34_v2() {
  return architecture({"ResNet-34v2", {3, 4, 6, 3}, true}, "residual network of 34 layers, pre-activation");
}

}  // namespace lrid::nn
