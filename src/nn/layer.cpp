#include <array>
#include <optional>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <lrid/core/error.hpp>
#include <lrid/nn/layer.hpp>

namespace lrid::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The padding of both axes of a convolution's input. LibTorch pads alike on both sides; where TensorFlow
/// does not, the input is padded beforehand, and errors that travel down are cropped.
struct Frame {
  Pads rows, columns;

  Frame(const LayerSpec& spec, at::IntArrayRef x)
      : rows(pads(spec.padding, x[2], spec.kernel, spec.stride)),
        columns(pads(spec.padding, x[3], spec.kernel, spec.stride)) {
    if (rows.output < 1 || columns.output < 1)
      bad_input("{}: input of {}×{} is too small for a {}×{} kernel without padding", spec.name, x[2], x[3],
                spec.kernel, spec.kernel);
  }
  [[nodiscard]] bool symmetric() const { return rows.symmetric() && columns.symmetric(); }
  /// Padding left to LibTorch's convolution.
  [[nodiscard]] std::array<std::int64_t, 2> native() const {
    return symmetric() ? std::array{rows.before, columns.before} : std::array<std::int64_t, 2>{0, 0};
  }
  /// Pads what LibTorch's convolution cannot.
  [[nodiscard]] Tensor pad(const Tensor& x) const {
    if (symmetric()) return x;
    return at::constant_pad_nd(x, {columns.before, columns.after, rows.before, rows.after}, 0);
  }
  [[nodiscard]] Tensor crop(const Tensor& padded, at::IntArrayRef x) const {
    if (symmetric()) return padded;
    return padded.narrow(2, rows.before, x[2]).narrow(3, columns.before, x[3]);
  }
};

Tensor convolve(const LayerSpec& spec, const Tensor& x, const Tensor& kernel,
                const std::optional<Tensor>& bias) {
  const Frame frame(spec, x.sizes());
  const auto stride = std::array{spec.stride, spec.stride};
  const auto padding = frame.native();
  return at::convolution(frame.pad(x), kernel, bias, stride, padding, {1, 1}, false, {0, 0}, 1);
}

/// at::convolution_backward with the layer's stride and padding; x need only have the right shape where no
/// kernel gradient is asked for.
std::tuple<Tensor, Tensor, Tensor> convolve_backward(const LayerSpec& spec, const Tensor& x,
                                                     const Tensor& kernel, const Tensor& error,
                                                     std::array<bool, 3> wanted) {
  const Frame frame(spec, x.sizes());
  const auto stride = std::array{spec.stride, spec.stride};
  const auto padding = frame.native();
  auto [to_x, to_kernel, to_bias] =
      at::convolution_backward(error, frame.pad(x), kernel, at::IntArrayRef{spec.out}, stride, padding,
                               {1, 1}, false, {0, 0}, 1, wanted);
  if (to_x.defined()) to_x = frame.crop(to_x, x.sizes());
  return {to_x, to_kernel, to_bias};
}

struct Convolution {
  static Tensor forward(const LayerSpec& spec, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    return convolve(spec, x, weight, bias);
  }
  static Tensor down(const LayerSpec& spec, const Tensor& x, const Tensor& kernel, const Tensor& error) {
    return std::get<0>(convolve_backward(spec, x, kernel, error, {true, false, false}));
  }
  static std::pair<Tensor, Tensor> local(const LayerSpec& spec, const Tensor& x, const Tensor& weight,
                                         const Tensor& error, bool bias) {
    auto [none, to_weight, to_bias] = convolve_backward(spec, x, weight, error, {false, true, bias});
    return {to_weight, to_bias};
  }
};

struct FullyConnected {
  static Tensor forward(const LayerSpec&, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    return bias ? at::addmm(*bias, x, weight.t()) : at::mm(x, weight.t());
  }
  static Tensor down(const LayerSpec&, const Tensor&, const Tensor& kernel, const Tensor& error) {
    return at::mm(error, kernel);
  }
  static std::pair<Tensor, Tensor> local(const LayerSpec&, const Tensor& x, const Tensor&,
                                         const Tensor& error, bool bias) {
    return {at::mm(error.t(), x), bias ? error.sum(0) : Tensor()};
  }
};

/// The autograd function of both layer kinds; `Map` knows what differs.
///
///     forward   y = [ReLU](W∗x + b)
///     backward  δ = error at W∗x + b;  ∂W = x⊗δ and ∂b = Σδ, true and local;  sent down: Kᵀδ, K from the
///     path
template <class Map>
struct LayerFunction : torch::autograd::Function<LayerFunction<Map>> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias, ObservedLayer* layer, bool capture) {
    const torch::ScalarType own = weight.scalar_type(), type = layer->arithmetic;
    const Tensor factor = x.to(type);
    Tensor output =
        Map::forward(layer->spec(), factor, weight.to(type), bias ? std::optional(bias->to(type)) : bias);
    if (capture) {
      layer->capture.input = x.detach().to(own);
      layer->capture.preactivation = output.detach().to(own);
    }
    if (layer->spec().relu) output = capture ? output.relu() : output.relu_();
    context->save_for_backward({factor, weight, layer->spec().relu ? output : Tensor()});
    context->saved_data["layer"] = reinterpret_cast<std::int64_t>(layer);
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& errors) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &output = saved[2];
    auto& layer = *reinterpret_cast<ObservedLayer*>(context->saved_data["layer"].toInt());
    const Tensor error = layer.spec().relu ? at::threshold_backward(errors[0], output, 0) : errors[0];
    const torch::ScalarType own = weight.scalar_type(), type = x.scalar_type();
    if (layer.capture.keep_error) {
      layer.capture.error = error.to(own);
      layer.capture.input_sizes = x.sizes().vec();
    }
    const Tensor factor = error.to(type);
    Tensor to_x;
    if (context->needs_input_grad(0)) {
      const Tensor kernel = layer.feedback() ? layer.feedback()->kernel(weight) : weight;
      if (kernel.defined()) to_x = Map::down(layer.spec(), x, kernel.to(type), factor);
    }
    auto [to_weight, to_bias] = Map::local(layer.spec(), x, weight.to(type), factor, layer.bias.defined());
    if (to_bias.defined()) to_bias = to_bias.to(own);
    return {to_x, to_weight.to(own), to_bias, Tensor(), Tensor()};
  }
};

}  // namespace

ObservedLayer::ObservedLayer(LayerSpec spec, Key initial_values, const torch::TensorOptions& options)
    : arithmetic(c10::typeMetaToScalarType(options.dtype())),
      spec_(std::move(spec)),
      channels_last_(spec_.kind == LayerKind::conv &&
                     options.memory_format_opt() == torch::MemoryFormat::ChannelsLast),
      options_(options) {
  weight = draw_kernel(initial_values);
  weight.set_requires_grad(true);
  if (!spec_.bias) return;
  bias = torch::full({spec_.out}, spec_.initial_bias, options.memory_format(c10::nullopt));
  bias.set_requires_grad(true);
}

Tensor ObservedLayer::draw_kernel(Key key) const {
  const std::vector<std::int64_t> shape = spec_.kind == LayerKind::conv
                                              ? std::vector{spec_.out, spec_.in, spec_.kernel, spec_.kernel}
                                              : std::vector{spec_.out, spec_.in};
  return draw_initial_values(spec_.initial, shape, key, options_);
}

Tensor ObservedLayer::forward(const Tensor& x) {
  const bool keep = capture.keep_forward && torch::GradMode::is_enabled();
  const std::optional<Tensor> b = spec_.bias ? std::optional(bias) : std::nullopt;
  if (spec_.kind == LayerKind::fc) return LayerFunction<FullyConnected>::apply(x, weight, b, this, keep);
  return LayerFunction<Convolution>::apply(in_layout(x), weight, b, this, keep);
}

Tensor ObservedLayer::apply(const Tensor& kernel, const Tensor& x) const {
  if (spec_.kind == LayerKind::fc) return FullyConnected::forward(spec_, x, kernel, {});
  return Convolution::forward(spec_, in_layout(x), kernel, {});
}

Tensor ObservedLayer::add_bias(Tensor y) const {
  if (!bias.defined()) return y;
  const Tensor b = bias.detach();
  return y.add_(y.dim() == 4 ? b.view({1, -1, 1, 1}) : b);
}

Tensor ObservedLayer::apply_transposed(const Tensor& kernel, const Tensor& error,
                                       at::IntArrayRef input_sizes) const {
  if (spec_.kind == LayerKind::fc) return FullyConnected::down(spec_, {}, kernel, error);
  // Only the shape and layout of x matter here; its memory is never touched.
  const Tensor shape_of_x = at::empty(input_sizes, error.options(), error.suggest_memory_format());
  return Convolution::down(spec_, shape_of_x, kernel, error);
}

Tensor ObservedLayer::kernel_gradient(const Tensor& x, const Tensor& error) const {
  if (spec_.kind == LayerKind::fc) return FullyConnected::local(spec_, x, weight, error, false).first;
  return Convolution::local(spec_, in_layout(x), weight, error, false).first;
}

Tensor ObservedLayer::in_layout(const Tensor& x) const {
  return channels_last_ ? x.contiguous(torch::MemoryFormat::ChannelsLast) : x;
}

}  // namespace lrid::nn
