#include <algorithm>

#include <c10/core/CachingDeviceAllocator.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
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

/// The tensor dense in the wanted layout; the tensor itself where it is so already.
Tensor dense(const Tensor& tensor, bool channels_last) {
  return tensor.detach().contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                  : at::MemoryFormat::Contiguous);
}

/// Rows: the first dimension. The tensor must be dense and outlive the view.
stats::View view_of(const Tensor& tensor) {
  const std::int64_t rows = tensor.size(0), columns = rows == 0 ? 0 : tensor.numel() / rows;
  const stats::Device device =
      tensor.is_cuda() ? stats::Device{stats::Device::Kind::cuda, tensor.device().index()} : stats::Device{};
  return {tensor.const_data_ptr(), element_type(tensor), rows, columns, columns, device};
}

}  // namespace

NetworkObserver::NetworkObserver(nn::Network& network, const std::vector<stats::Imperfection>& measurements,
                                 const Tensor& inputs)
    : network_(network) {
  for (const stats::Imperfection& measurement : measurements) {
    const auto same = std::ranges::find_if(measured_, [&](const stats::Imperfection& other) {
      return other == measurement || (other.perfect() && measurement.perfect());
    });
    measured_as_.push_back(to_size(same - measured_.begin()));
    if (same == measured_.end()) measured_.push_back(measurement);
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
  folds_.reserve(layers_.size());  // what waits refers to them
  waiting_.clear();                // of a pass that did not end
  waiting_bytes_ = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const nn::ObservedLayer& layer = *network_.layers()[i];
    const Layer& known = layers_[i];
    stats::LayerFold& fold = folds_.emplace_back(*known.plan, where.with(layer.spec().name));

    measure(fold, dense(layer.weight, false).view({1, -1}), true);

    const Tensor b = backward != nullptr ? backward->backward_kernel(i) : Tensor();
    // In float64, where the layer is: one sample's worth of work, and S is what all stimuli are multiplied
    // with.
    const Tensor kernel = dense(b.defined() ? b : layer.weight, false).to(torch::kFloat64);
    std::vector<std::int64_t> sizes = known.input_sizes;
    sizes.insert(sizes.begin(), 1);
    for (std::size_t measurement = 0; measurement < measured_.size(); ++measurement) {
      if (known.plan->first_with_same_units(measurement) != measurement) continue;
      std::vector<std::uint8_t> kept = known.plan->kept_inputs(measurement);
      const Tensor indicator = torch::from_blob(kept.data(), sizes, torch::kUInt8).to(kernel.options());
      const Tensor s = dense(layer.apply(kernel, indicator), known.channels_last).cpu();
      fold.set_layer_change(measurement, view_of(s));
    }
  }
  launch_waiting();
}

void NetworkObserver::measure(stats::LayerFold& fold, const Tensor& values, bool weights) {
  const stats::View view = view_of(values);
  if (view.device.kind == stats::Device::Kind::cuda && fold.takes(view)) {
    waiting_.push_back({values, values._version(), {&fold, view, weights}});
    waiting_bytes_ += values.nbytes();
    // Small layers share a batch of launches; outputs are not kept for long.
    constexpr std::size_t most_kept = 256 << 20;
    if (waiting_bytes_ >= most_kept) launch_waiting();
    return;
  }
  const Tensor host = values.cpu();
  if (weights)
    fold.set_weights(view_of(host));
  else
    fold.add(view_of(host));
}

void NetworkObserver::launch_waiting() {
  std::vector<stats::LayerFold::Data> data;
  for (const Waiting& waiting : waiting_) {
    if (waiting.values._version() != waiting.version)
      work_failed("a layer's output was changed in place before it was measured");
    data.push_back(waiting.data);
  }
  if (!data.empty()) {
    try {
      stats::LayerFold::measure_on_device(data);
    } catch (const stats::DeviceOutOfMemory&) {
      // What LibTorch has freed it keeps, out of reach of others.
      c10::getDeviceAllocator(torch::kCUDA)->emptyCache();
      stats::LayerFold::measure_on_device(data);
    }
  }
  waiting_.clear();  // what comes next on the device comes after what was launched
  waiting_bytes_ = 0;
}

nn::LayerSink NetworkObserver::sink() {
  return [this](std::size_t index, const Tensor&, const Tensor& output) {
    measure(folds_[index], dense(output, layers_[index].channels_last), false);
    if (index + 1 == layers_.size()) launch_waiting();
  };
}

std::vector<stats::ObservableRow> NetworkObserver::rows(std::size_t measurement) const {
  std::vector<stats::ObservableRow> rows;
  for (const stats::LayerFold& fold : folds_) rows.push_back(fold.row(measured_as_.at(measurement)));
  return rows;
}

}  // namespace lrid::observe
