#include <algorithm>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <lrid/core/index.hpp>
#include <lrid/nn/network.hpp>

namespace lrid::nn {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The identity; its backward pass keeps the error at the network's output, before any hidden place asks for
/// it.
struct Network::OutputMark : torch::autograd::Function<OutputMark> {
  static Tensor forward(AutogradContext* context, const Tensor& y, Network* network) {
    context->saved_data["network"] = reinterpret_cast<std::int64_t>(network);
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& errors) {
    auto& network = *reinterpret_cast<Network*>(context->saved_data["network"].toInt());
    // What feedback makes of it is multiplied in the kernels' own type.
    network.output_error_ = errors[0].to(network.layers_.at(0)->weight.scalar_type());
    return {errors[0], Tensor()};
  }
};

/// The identity; its backward pass replaces whatever error arrives.
struct Network::HiddenMark : torch::autograd::Function<HiddenMark> {
  static Tensor forward(AutogradContext* context, const Tensor& h, Network* network, std::int64_t index) {
    context->set_materialize_grads(false);  // nothing arrives where layers send nothing
    context->saved_data["network"] = reinterpret_cast<std::int64_t>(network);
    context->saved_data["layer"] = index;
    context->saved_data["shape"] = h.sizes();
    context->saved_data["format"] = static_cast<std::int64_t>(h.suggest_memory_format());
    return h;
  }
  static variable_list backward(AutogradContext* context, const variable_list&) {
    const auto& network = *reinterpret_cast<Network*>(context->saved_data["network"].toInt());
    const auto index = to_size(context->saved_data["layer"].toInt());
    const Tensor error = network.direct_feedback_(index, network.output_error_)
                             .reshape(context->saved_data["shape"].toIntVector());
    return {error.contiguous(static_cast<at::MemoryFormat>(context->saved_data["format"].toInt())), Tensor(),
            Tensor()};
  }
};

Tensor Network::forward(const Tensor& x) {
  const Tensor y = compute(x);
  return direct_feedback_ ? OutputMark::apply(y, this) : y;
}

Tensor Network::hidden(std::size_t index, const Tensor& h) {
  if (places_ != nullptr) places_->push_back({index, h.sizes().slice(1).vec()});
  return direct_feedback_ ? HiddenMark::apply(h, this, to_index(index)) : h;
}

std::vector<HiddenPlace> Network::hidden_places() {
  std::vector<HiddenPlace> places;
  const torch::NoGradGuard no_grad;
  const bool training = training_;
  const LayerSink sink = std::exchange(sink_, {});
  places_ = &places;
  training_ = false;
  compute(torch::zeros({1, input_.channels, input_.height, input_.width},
                       layers_.at(0)->weight.options().requires_grad(false).memory_format(c10::nullopt)));
  training_ = training;
  places_ = nullptr;
  sink_ = sink;
  return places;
}

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
