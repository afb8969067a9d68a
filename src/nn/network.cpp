#include <algorithm>

#include <lrid/nn/network.hpp>

namespace lrid::nn {

ObservedLayer& Network::add_layer(LayerSpec spec, Key initial_values, const torch::TensorOptions& options) {
  // By name, so that a layer starts alike whatever stands before it.
  const Key key = initial_values.with(spec.name);
  layers_.push_back(std::make_shared<ObservedLayer>(std::move(spec), key, options));
  ObservedLayer& layer = *layers_.back();
  parameters_.push_back({{layer.spec().name + "/weight", layer.weight}, true});
  if (layer.bias.defined()) parameters_.push_back({{layer.spec().name + "/bias", layer.bias}, true});
  return layer;
}

BatchNorm& Network::add_batch_norm(const std::string& name, std::int64_t channels,
                                   const BatchNorm::Settings& settings, const torch::TensorOptions& options) {
  norms_.push_back(std::make_unique<BatchNorm>(channels, settings, options));
  const BatchNorm& norm = *norms_.back();
  parameters_.push_back({{name + "/scale", norm.scale}, false});
  if (settings.shift) parameters_.push_back({{name + "/shift", norm.shift}, false});
  buffers_.push_back({name + "/running_mean", norm.running_mean});
  buffers_.push_back({name + "/running_var", norm.running_var});
  return *norms_.back();
}

void Network::assign_positions(std::size_t supervised_layers) {
  constexpr std::size_t deep = 2;
  const std::size_t group = supervised_layers / 3;
  positions_.clear();
  for (std::size_t index = 0; index < layers_.size(); ++index)
    positions_.push_back(static_cast<std::uint8_t>(group == 0 ? deep : std::min(index / group, deep)));
}

Tensor Network::observe(std::size_t index, const Tensor& x) {
  Tensor output = layers_[index]->forward(x);
  if (sink_) sink_(index, x, output);
  return output;
}

}  // namespace lrid::nn
