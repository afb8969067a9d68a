#include <algorithm>

#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/observe/network_observer.hpp>

namespace lrid::observe {

namespace {

using nn::Tensor;

stats::ElementType element_type(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat64:
      return stats::ElementType::f64;
    case torch::kFloat16:
      return stats::ElementType::f16;
    case torch::kBFloat16:
      return stats::ElementType::bf16;
    default:
      return stats::ElementType::f32;
  }
}

bool is_channels_last(const Tensor& tensor) {
  return tensor.dim() == 4 && !tensor.is_contiguous() && tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
}

/// The tensor on the host, dense in the wanted layout; the tensor itself where it is so already.
Tensor dense(const Tensor& tensor, bool channels_last) {
  return tensor.detach().cpu().contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                        : at::MemoryFormat::Contiguous);
}

/// Rows: the first dimension. The tensor must be dense and outlive the view.
stats::View view_of(const Tensor& tensor) {
  const std::int64_t rows = tensor.size(0), columns = rows == 0 ? 0 : tensor.numel() / rows;
  return {tensor.const_data_ptr(), element_type(tensor), rows, columns, columns, {}};
}

}  // namespace

NetworkObserver::NetworkObserver(nn::Network& network, const std::vector<stats::Imperfection>& cells,
                                 const Tensor& inputs)
    : network_(network) {
  for (const stats::Imperfection& cell : cells) {
    const auto same = std::ranges::find_if(measured_, [&](const stats::Imperfection& other) {
      return other == cell || (other.perfect() && cell.perfect());
    });
    measured_as_.push_back(static_cast<std::size_t>(same - measured_.begin()));
    if (same == measured_.end()) measured_.push_back(cell);
  }
  const torch::NoGradGuard no_grad;
  const bool training = network.training();
  network.set_training(false);
  network.set_sink([&](std::size_t index, const Tensor& input, const Tensor& output) {
    const nn::ObservedLayer& layer = *network.layers()[index];
    Layer known;
    known.channels_last = is_channels_last(output);
    known.input_sizes = input.sizes().slice(1).vec();
    stats::LayerShape shape;
    shape.units = output[0].numel();
    shape.inputs = input[0].numel();
    shape.weights = layer.weight.numel();
    if (known.channels_last)
      shape.unit_order = stats::UnitOrder::channels_last(output.size(1), output.size(2) * output.size(3));
    shape.activation = layer.spec().relu ? stats::Activation::relu : stats::Activation::identity;
    known.plan = std::make_unique<stats::LayerPlan>(shape, measured_);
    layers_.push_back(std::move(known));
  });
  network.forward(inputs);
  network.set_sink({});
  network.set_training(training);
}

void NetworkObserver::begin(const rules::LearningRule* backward, Key where) {
  const torch::NoGradGuard no_grad;
  folds_.clear();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const nn::ObservedLayer& layer = *network_.layers()[i];
    const Layer& known = layers_[i];
    stats::LayerFold& fold = folds_.emplace_back(*known.plan, where.with(layer.spec().name));

    const Tensor weights = dense(layer.weight, false);
    fold.set_weights(
        {weights.const_data_ptr(), element_type(weights), 1, weights.numel(), weights.numel(), {}});

    const Tensor b = backward != nullptr ? backward->backward_kernel(i) : Tensor();
    // In float64: one sample's worth of work, and S is what all stimuli are multiplied with.
    const Tensor kernel = dense(b.defined() ? b : layer.weight, false).to(torch::kFloat64);
    std::vector<std::int64_t> sizes = known.input_sizes;
    sizes.insert(sizes.begin(), 1);
    for (std::size_t cell = 0; cell < measured_.size(); ++cell) {
      if (known.plan->first_with_same_units(cell) != cell) continue;
      std::vector<std::uint8_t> kept = known.plan->kept_inputs(cell);
      const Tensor indicator = torch::from_blob(kept.data(), sizes, torch::kUInt8).to(torch::kFloat64);
      const Tensor s = dense(layer.apply(kernel, indicator), known.channels_last);
      fold.set_layer_change(cell, view_of(s));
    }
  }
}

nn::LayerSink NetworkObserver::sink() {
  return [this](std::size_t index, const Tensor&, const Tensor& output) {
    const Tensor units = dense(output, layers_[index].channels_last);
    folds_[index].add(view_of(units));
  };
}

std::vector<stats::ObservableRow> NetworkObserver::rows(std::size_t cell) const {
  std::vector<stats::ObservableRow> rows;
  for (const stats::LayerFold& fold : folds_) rows.push_back(fold.row(measured_as_.at(cell)));
  return rows;
}

}  // namespace lrid::observe
