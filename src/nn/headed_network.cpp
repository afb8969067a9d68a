#include "headed_network.hpp"

#include <lrid/core/error.hpp>

namespace lrid::nn {

namespace {

constexpr std::int64_t contrastive_width = 128;

}  // namespace

void HeadedNetwork::add_head(LayerSpec classifier, const NetworkSpec& spec) {
  const std::size_t supervised_layers = layers_.size() + 1;
  if (contrastive_) {
    LayerSpec layer{.name = "head_contrastive/nl_0",
                    .kind = LayerKind::fc,
                    .in = classifier.in,
                    .out = classifier.in,
                    .bias = false};
    layer.initial = {.kind = Initializer::Kind::normal, .sd = 0.01};
    BatchNorm::Settings norm{.running_variance = BatchNorm::RunningVariance::biased};
    for (const std::int64_t width : {classifier.in, contrastive_width}) {
      layer.out = width;
      add_layer(layer, spec.initial_values, spec.options);
      add_batch_norm(layer.name + "/bn", width, norm, spec.options);
      layer.name = "head_contrastive/nl_1";
      norm.shift = false;
    }
  } else {
    add_layer(std::move(classifier), spec.initial_values, spec.options);
  }
  assign_positions(supervised_layers);
}

Tensor HeadedNetwork::head(const Tensor& features) {
  const std::size_t last = layers_.size() - 1;
  if (!contrastive_) return observe(last, features);
  const std::size_t last_norm = norms_.size() - 1;
  const Tensor h = norms_[last_norm - 1]->forward(observe(last - 1, features), training_, /*relu=*/true);
  return norms_[last_norm]->forward(observe(last, hidden(last - 1, h)), training_, /*relu=*/false);
}

void require_sensible(const std::string& architecture, const NetworkSpec& spec, std::int64_t least_side) {
  const auto& [channels, height, width] = spec.input;
  if (channels < 1 || height < least_side || width < least_side)
    bad_input("{}: input of {}×{}×{}, expected at least 1 channel, {} rows and {} columns", architecture,
              channels, height, width, least_side, least_side);
  if (!spec.contrastive_head && spec.classes < 1)
    bad_input("{}: {} classes, expected at least 1", architecture, spec.classes);
}

}  // namespace lrid::nn
