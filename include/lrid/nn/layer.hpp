#pragma once

#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include <lrid/core/random.hpp>
#include <lrid/nn/initial_values.hpp>
#include <lrid/nn/padding.hpp>

namespace lrid::nn {

using torch::Tensor;

enum class LayerKind { conv, fc };

/// Description of an observed layer. `kernel` and `stride` are 1 for fully connected layers.
struct LayerSpec {
  std::string name;
  LayerKind kind = LayerKind::conv;
  std::int64_t in = 0, out = 0;  ///< channels, or units
  std::int64_t kernel = 1, stride = 1;
  Padding padding = Padding::same;
  bool bias = true;
  bool relu = false;  ///< a ReLU is part of the layer's output
  Initializer initial{};
  double initial_bias = 0;
};

/// Carries the error down through a layer, which asks for the kernel in each backward pass.
class FeedbackPath {
 public:
  virtual ~FeedbackPath() = default;
  /// A kernel of W's shape; an undefined tensor sends nothing down (direct feedback alignment).
  [[nodiscard]] virtual Tensor kernel(const Tensor& weight) const = 0;
};

/// A layer with a kernel: a convolution or a fully connected layer, y = [ReLU](W∗x + b). It carries a
/// weight tensor, is observed, and lets a learning rule choose the kernel that carries the error down;
/// weight and bias gradients are the true local ones in every case (learning-rules.md, "What every rule
/// shares").
///
/// A layer must outlive the autograd graphs of its forward passes, whose backward asks it for the path.
class ObservedLayer {
 public:
  /// `options`: type, device and, for convolutions, memory format (channels-last or contiguous) of the
  /// kernel; with channels-last, inputs are converted where they are not.
  ObservedLayer(LayerSpec spec, Key initial_values, const torch::TensorOptions& options);

  /// x [N, C, H, W] (conv) or [N, features] (fc) → the layer's output. Differentiable.
  Tensor forward(const Tensor& x);

  [[nodiscard]] const LayerSpec& spec() const { return spec_; }
  Tensor weight;  ///< [out, in, k, k] or [out, in]
  Tensor bias;    ///< [out], undefined without bias

  /// Type of what is multiplied in forward(): the tensors' own, or a shorter one (mixed precision: inputs,
  /// kernels and arriving errors are rounded to it, and so are outputs and what is sent down; the gradients
  /// of W and b, and what is captured, are of the tensors' own type). A backward pass uses what its forward
  /// pass used.
  torch::ScalarType arithmetic;

  /// An independent draw from W's initial distribution (for backward kernels), float of W's type.
  [[nodiscard]] Tensor draw_kernel(Key key) const;

  /// The default, null, sends the error through W: backpropagation.
  void set_feedback(std::shared_ptr<const FeedbackPath> path) { feedback_ = std::move(path); }
  [[nodiscard]] const std::shared_ptr<const FeedbackPath>& feedback() const { return feedback_; }

  /// kernel∗x without bias, with the layer's stride and padding. InputError where x is too small for it.
  [[nodiscard]] Tensor apply(const Tensor& kernel, const Tensor& x) const;
  /// W∗x + b, before any ReLU, in the tensors' own type. Not differentiable.
  [[nodiscard]] Tensor preactivation(const Tensor& x) const { return add_bias(apply(weight.detach(), x)); }
  /// y + b, in place; y where there is no bias.
  [[nodiscard]] Tensor add_bias(Tensor y) const;
  /// The error at W∗x carried down through `kernel` to an input of shape `input_sizes` (transposed
  /// convolution).
  [[nodiscard]] Tensor apply_transposed(const Tensor& kernel, const Tensor& error,
                                        at::IntArrayRef input_sizes) const;
  /// The gradient of ⟨error, kernel∗x⟩ (summed over the batch) with respect to the kernel.
  [[nodiscard]] Tensor kernel_gradient(const Tensor& x, const Tensor& error) const;

  /// Tensors of the last training pass that layer-wise losses and alignment measures need.
  struct Capture {
    bool keep_forward = false;  ///< keep `input` and `preactivation` (set by rules)
    bool keep_error = false;    ///< keep `error` (set where alignment is measured)
    Tensor input;               ///< x
    Tensor preactivation;       ///< W∗x + b, before the ReLU
    Tensor error;               ///< ∂loss/∂(W∗x + b), as it arrived in the last backward pass
    std::vector<std::int64_t> input_sizes;  ///< shape of the x that `error` belongs to
  };
  Capture capture;

 private:
  [[nodiscard]] Tensor in_layout(const Tensor& x) const;

  LayerSpec spec_;
  bool channels_last_;
  torch::TensorOptions options_;
  std::shared_ptr<const FeedbackPath> feedback_;
};

}  // namespace lrid::nn
