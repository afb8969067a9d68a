// Residual networks (docs/architectures.md, "ResNet-18 to ResNet-152"): a 7×7/2
// convolution and a max pool, four groups of blocks, a global average, the classifier. A block has two 3×3
// convolutions, or from 50 layers on three, of 1×1, 3×3 and 1×1, the last four times as wide (a bottleneck).
// The first block of every group has a projection for its shortcut.
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
  bool bottleneck;
  bool preactivation;
};

constexpr std::array<std::int64_t, 4> group_widths = {64, 128, 256, 512};
constexpr std::int64_t bottleneck_expansion = 4;  // of a bottleneck's last convolution

/// A block's convolution.
struct BlockConvolution {
  std::int64_t kernel;
  std::int64_t out;
  std::int64_t stride;
};

/// The stride is where the kernel is 3×3 (what He et al. 2015 have in the first 1×1 loses three quarters of
/// the input).
std::vector<BlockConvolution> block_convolutions(bool bottleneck, std::int64_t width, std::int64_t stride) {
  if (!bottleneck) return {{3, width, stride}, {3, width, 1}};
  return {{1, width, 1}, {3, width, stride}, {1, bottleneck_expansion * width, 1}};
}

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
        const std::int64_t stride = group > 0 && block == 0 ? 2 : 1;
        const auto convolutions = block_convolutions(family_.bottleneck, group_widths[group], stride);
        const std::int64_t out = convolutions.back().out;
        if (v2) add_norm(name, in, plain);
        if (block == 0) {
          add_conv(name + "/conv0", in, out, 1, stride);
          if (!v2) add_norm(name + "/conv0", out, plain);
        }
        for (std::size_t i = 0; i < convolutions.size(); ++i) {
          const BlockConvolution& conv = convolutions[i];
          const std::string inner = fmt::format("{}/conv{}", name, i + 1);
          const bool last = i + 1 == convolutions.size();
          add_conv(inner, in, conv.out, conv.kernel, conv.stride);
          if (!last) add_norm(inner, conv.out, plain);
          if (last && !v2) add_norm(inner, conv.out, {.decay = plain.decay, .initial_scale = 0});
          in = conv.out;
        }
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
        const Tensor h = v2 ? normalize_and_rectify(x) : x;
        Tensor s = x;
        if (block > 0)
          s = v2 ? shortcut(x) : x;
        else
          s = v2 ? conv(h) : normalize(conv(h));
        Tensor inner = normalize_and_rectify(conv(h));
        if (family_.bottleneck) inner = normalize_and_rectify(conv(inner));
        if (v2)
          x = conv(inner) + s;
        else
          x = hidden(layer - 1, normalize(conv(inner)).add_(s).relu_());
      }
    if (v2) x = normalize_and_rectify(x);
    return head(x.mean({2, 3}));
  }

 private:
  ResNetFamily family_;
};

enum class ResNetVersion { v1, v2 };

Architecture architecture(int depth, std::array<std::size_t, 4> blocks, ResNetVersion version) {
  const bool preactivation = version == ResNetVersion::v2;
  const std::string name = fmt::format("ResNet-{}{}", depth, preactivation ? "v2" : "");
  const ResNetFamily family{name, blocks, /*bottleneck=*/depth >= 50, preactivation};
  return {.name = name,
          .summary = fmt::format("residual network of {} layers, {}", depth,
                                 preactivation ? "pre-activation" : "post-activation"),
          .base_learning_rate = 0.1,
          .weight_decay = 1e-4,
          .build = [family](const NetworkSpec& spec) -> std::unique_ptr<Network> {
            require_sensible(family.name, spec);
            return std::make_unique<ResNet>(family, spec);
          }};
}

}  // namespace

Architecture resnet18() {
  return architecture(18, {2, 2, 2, 2}, ResNetVersion::v1);
}
Architecture resnet34() {
  return architecture(34, {3, 4, 6, 3}, ResNetVersion::v1);
}
Architecture resnet50() {
  return architecture(50, {3, 4, 6, 3}, ResNetVersion::v1);
}
Architecture resnet101() {
  return architecture(101, {3, 4, 23, 3}, ResNetVersion::v1);
}
Architecture resnet152() {
  return architecture(152, {3, 8, 36, 3}, ResNetVersion::v1);
}
Architecture resnet18_v2() {
  return architecture(18, {2, 2, 2, 2}, ResNetVersion::v2);
}
Architecture resnet34_v2() {
  return architecture(34, {3, 4, 6, 3}, ResNetVersion::v2);
}
Architecture resnet50_v2() {
  return architecture(50, {3, 4, 6, 3}, ResNetVersion::v2);
}
Architecture resnet101_v2() {
  return architecture(101, {3, 4, 23, 3}, ResNetVersion::v2);
}
Architecture resnet152_v2() {
  return architecture(152, {3, 8, 36, 3}, ResNetVersion::v2);
}

}  // namespace lrid::nn
