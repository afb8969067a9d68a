// AlexNet (Krizhevsky et al. 2012) as in architectures.md, "AlexNet": five rectified convolutions, the first
// two and the last followed by a 3×3/2 max pool, before which the -LRN variant normalises responses; then two
// rectified fully connected layers with dropout, and the classifier.
#include "alexnet.hpp"

#include <array>

#include <lrid/nn/pool.hpp>

#include "dropout.hpp"
#include "headed_network.hpp"
#include "local_response_norm.hpp"

namespace lrid::nn {

namespace {

struct Stage {
  std::int64_t kernel, width;
  bool pooled;
};
constexpr std::array<Stage, 5> stages = {
    {{11, 96, true}, {5, 256, true}, {3, 384, false}, {4, 384, false}, {3, 256, true}}};
constexpr std::int64_t first_kernel = stages[0].kernel, first_stride = 4, dense_width = 4096;
constexpr double kept_by_dropout = 0.5;
constexpr LocalResponseNorm alexnet_response_norm = {.radius = 5, .bias = 1, .alpha = 1e-4, .beta = 0.75};

class AlexNet final : public HeadedNetwork {
 public:
  AlexNet(bool normalize_responses, const NetworkSpec& spec)
      : HeadedNetwork(spec), normalize_responses_(normalize_responses) {
    InputShape shape = spec.input;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      LayerSpec conv{.name = fmt::format("conv{}", i + 1),
                     .kind = LayerKind::conv,
                     .in = shape.channels,
                     .out = stages[i].width,
                     .kernel = stages[i].kernel,
                     .stride = i == 0 ? first_stride : 1,
                     .padding = i == 0 ? Padding::valid : Padding::same,
                     .relu = true};
      conv.initial = {.kind = Initializer::Kind::glorot_uniform};
      add_layer(conv, spec.initial_values, spec.kernel_options());
      const auto extent = [&](std::int64_t in) {
        const std::int64_t out = pads(conv.padding, in, conv.kernel, conv.stride).output;
        return stages[i].pooled ? (out + 1) / 2 : out;
      };
      shape = {conv.out, extent(shape.height), extent(shape.width)};
    }
    LayerSpec dense{.name = "fc6",
                    .kind = LayerKind::fc,
                    .in = shape.channels * shape.height * shape.width,
                    .out = dense_width,
                    .relu = true};
    dense.initial = {.kind = Initializer::Kind::truncated_normal, .sd = 0.01};
    dense.initial_bias = 0.1;
    add_layer(dense, spec.initial_values, spec.options);
    dense.name = "fc7";
    dense.in = dense_width;
    add_layer(dense, spec.initial_values, spec.options);
    dense.name = "fc8";
    dense.out = spec.classes;
    dense.relu = false;
    dense.initial_bias = 0;
    add_head(dense, spec);
  }

 protected:
  Tensor compute(const Tensor& images) override {
    Tensor x = images;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      x = hidden(i, observe(i, x));
      if (normalize_responses_ && i < 2) x = local_response_norm(x, alexnet_response_norm);
      if (stages[i].pooled) x = max_pool(x);
    }
    x = x.flatten(1);  // in channel, row, column order
    for (std::size_t i = stages.size(); i < stages.size() + 2; ++i) {
      x = hidden(i, observe(i, x));
      if (training_) x = dropout(x, kept_by_dropout, dropout_key_.with(layers_[i]->spec().name), step_);
    }
    return head(x);
  }

 private:
  bool normalize_responses_;
};

Architecture architecture(const std::string& name, bool normalize_responses, std::string summary) {
  return {.name = name,
          .summary = std::move(summary),
          .base_learning_rate = 0.01,
          .weight_decay = 5e-4,
          .build = [=](const NetworkSpec& spec) -> std::unique_ptr<Network> {
            require_sensible(name, spec, first_kernel);
            return std::make_unique<AlexNet>(normalize_responses, spec);
          }};
}

}  // namespace

Architecture alexnet() {
  return architecture("AlexNet", false, "5 convolutions, 3 dense layers, dropout");
}
Architecture alexnet_lrn() {
  return architecture("AlexNet-LRN", true, "the same with local response normalisation");
}

}  // namespace lrid::nn
