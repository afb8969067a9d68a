// The KNet family (architectures.md, "KNet"): 5×5 convolutions, each followed by a 3×3/2 pool and a
// normalisation, then one fully connected layer. The first convolution has no ReLU of its own and a max pool;
// its ReLU is part of the normalisation. The others are rectified and averaged.
#include "knet.hpp"

#include <array>

#include <lrid/nn/pool.hpp>

#include "headed_network.hpp"
#include "local_response_norm.hpp"

namespace lrid::nn {

namespace {

enum class Norm { batch, local_response };

struct KNetFamily {
  std::string name;
  std::size_t convolutions;
  Norm norm;
};

constexpr std::array<std::int64_t, 4> knet_widths = {32, 32, 64, 128};
constexpr LocalResponseNorm knet_response_norm = {.radius = 3, .bias = 1, .alpha = 5e-5, .beta = 0.75};
constexpr BatchNorm::Settings batch_norm = {.epsilon = 1e-5, .decay = 0.9};

class KNet final : public HeadedNetwork {
 public:
  KNet(KNetFamily family, const NetworkSpec& spec) : HeadedNetwork(spec), family_(std::move(family)) {
    InputShape shape = spec.input;
    for (std::size_t i = 0; i < family_.convolutions; ++i) {
      LayerSpec conv{.name = fmt::format("conv{}", i + 1),
                     .kind = LayerKind::conv,
                     .in = shape.channels,
                     .out = knet_widths[i],
                     .kernel = 5};
      conv.relu = i > 0;
      conv.initial = {.kind = Initializer::Kind::normal, .sd = i == 0 ? 1e-4 : 0.01};
      add_layer(conv, spec.initial_values, spec.kernel_options());
      if (family_.norm == Norm::batch) add_batch_norm(conv.name + "/bn", conv.out, batch_norm, spec.options);
      shape = {conv.out, (shape.height + 1) / 2, (shape.width + 1) / 2};
    }
    LayerSpec classifier{.name = fmt::format("fc{}", family_.convolutions + 1),
                         .kind = LayerKind::fc,
                         .in = shape.channels * shape.height * shape.width,
                         .out = spec.classes};
    classifier.initial = {.kind = Initializer::Kind::normal, .sd = 0.01};
    add_head(classifier, spec);
  }

 protected:
  Tensor compute(const Tensor& images) override {
    const bool batch = family_.norm == Norm::batch;
    Tensor x = max_pool(observe(0, images));
    x = hidden(0, batch ? norms_[0]->forward(x, training_, /*relu=*/true) : x.relu());
    if (!batch) x = local_response_norm(x, knet_response_norm);
    for (std::size_t i = 1; i < family_.convolutions; ++i) {
      if (batch) {
        // Marked after batch norm, which would learn nothing from direct feedback that arrives before it.
        x = norms_[i]->forward(average_pool(observe(i, x)), training_, /*relu=*/false);
        x = hidden(i, x);
      } else {
        x = average_pool(hidden(i, observe(i, x)));
        if (i == 1) x = local_response_norm(x, knet_response_norm);  // none after the others
      }
    }
    return head(x.flatten(1));  // in channel, row, column order
  }

 private:
  KNetFamily family_;
};

Architecture architecture(KNetFamily family, std::string summary) {
  const std::string name = family.name;
  const auto build = [family = std::move(family)](const NetworkSpec& spec) -> std::unique_ptr<Network> {
    require_sensible(family.name, spec);
    return std::make_unique<KNet>(family, spec);
  };
  return {.name = name,
          .summary = std::move(summary),
          .base_learning_rate = 0.01,
          .weight_decay = 1e-5,
          .build = build};
}

}  // namespace

Architecture knet4() {
  return architecture({"KNet4", 3, Norm::batch}, "3 convolutions, batch norm, 1 dense layer");
}
Architecture knet5() {
  return architecture({"KNet5", 4, Norm::batch}, "4 convolutions, batch norm, 1 dense layer");
}
Architecture knet4_lrn() {
  return architecture({"KNet4-LRN", 3, Norm::local_response},
                      "3 convolutions, local response normalisation, 1 dense layer");
}
Architecture knet5_lrn() {
  return architecture({"KNet5-LRN", 4, Norm::local_response},
                      "4 convolutions, local response normalisation, 1 dense layer");
}

}  // namespace lrid::nn
