// The KNet family (architectures.md, "KNet"): 5×5 convolutions, each followed by a 3×3/2 pool and a
// normalisation, then one fully connected layer. The first convolution has no ReLU of its own and a max pool;
// its ReLU is part of the normalisation. The others are rectified and averaged.
#include "knet.hpp"

#include <array>

#include <lrid/nn/local_response_norm.hpp>
#include <lrid/nn/pool.hpp>

namespace lrid::nn {

namespace {

enum class Norm { batch, local_response };

struct Family {
  std::string name;
  std::size_t convolutions;
  Norm norm;
};

constexpr std::array<std::int64_t, 4> widths = {32, 32, 64, 128};
constexpr LocalResponseNorm response_norm = {.radius = 3, .bias = 1, .alpha = 5e-5, .beta = 0.75};
constexpr BatchNorm::Settings batch_norm = {.epsilon = 1e-5, .decay = 0.9};

class KNet final : public Network {
 public:
  KNet(Family family, const NetworkSpec& spec)
      : family_(std::move(family)), channels_last_(spec.channels_last) {
    const auto options = spec.options.memory_format(channels_last_ ? torch::MemoryFormat::ChannelsLast
                                                                   : torch::MemoryFormat::Contiguous);
    InputShape shape = spec.input;
    for (std::size_t i = 0; i < family_.convolutions; ++i) {
      LayerSpec conv{.name = fmt::format("conv{}", i + 1),
                     .kind = LayerKind::conv,
                     .in = shape.channels,
                     .out = widths[i],
                     .kernel = 5};
      conv.relu = i > 0;
      conv.initial = {.kind = Initializer::Kind::normal, .sd = i == 0 ? 1e-4 : 0.01};
      add_layer(conv, spec.initial_values, options);
      if (family_.norm == Norm::batch) add_batch_norm(conv.name + "/bn", conv.out, batch_norm, spec.options);
      shape = {conv.out, (shape.height + 1) / 2, (shape.width + 1) / 2};
    }
    LayerSpec classifier{.name = fmt::format("fc{}", family_.convolutions + 1),
                         .kind = LayerKind::fc,
                         .in = shape.channels * shape.height * shape.width,
                         .out = spec.classes};
    classifier.initial = {.kind = Initializer::Kind::normal, .sd = 0.01};
    add_layer(classifier, spec.initial_values, options);
    assign_positions(layers_.size());
  }

  Tensor forward(const Tensor& images) override {
    Tensor x = channels_last_ ? images.contiguous(torch::MemoryFormat::ChannelsLast) : images;
    for (std::size_t i = 0; i < family_.convolutions; ++i) {
      x = observe(i, x);
      x = i == 0 ? max_pool(x) : average_pool(x);
      x = family_.norm == Norm::batch ? norms_[i]->forward(x, training_, /*relu=*/i == 0) : respond(i, x);
    }
    return observe(family_.convolutions, x.flatten(1));  // in channel, row, column order
  }

 private:
  /// ReLU then LRN after the first convolution, LRN after the second, nothing after the others.
  [[nodiscard]] static Tensor respond(std::size_t i, const Tensor& x) {
    if (i > 1) return x;
    return local_response_norm(i == 0 ? x.relu() : x, response_norm);
  }

  Family family_;
  bool channels_last_;
};

void check(const std::string& name, const NetworkSpec& spec) {
  const auto& [channels, height, width] = spec.input;
  if (channels < 1 || height < 1 || width < 1)
    bad_input("{}: input of {}×{}×{}, expected at least 1 channel, row and column", name, channels, height,
              width);
  if (spec.classes < 1) bad_input("{}: {} classes, expected at least 1", name, spec.classes);
}

Architecture architecture(Family family, std::string summary) {
  const std::string name = family.name;
  const auto build = [family = std::move(family)](const NetworkSpec& spec) -> std::unique_ptr<Network> {
    check(family.name, spec);
    if (spec.contrastive_head)
      bad_input("{}: has no contrastive head, expected a task with classes", family.name);
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
