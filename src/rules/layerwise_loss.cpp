#include "layerwise_loss.hpp"

#include <torch/types.h>

#include <lrid/core/index.hpp>

namespace lrid::rules {

namespace {

/// Σ a², without a copy of squares.
Tensor square_sum(const Tensor& a) {
  return at::linalg_vector_norm(a, 2).square_();
}

/// Σ fwd·b over all units: the part of amp that B's gradient does not see.
Tensor bias_part(const nn::ObservedLayer& layer, const Tensor& fwd) {
  const Tensor sums = fwd.dim() == 4 ? fwd.sum({0, 2, 3}) : fwd.sum(0);
  return sums.dot(layer.bias.detach());
}

}  // namespace

// Gradients with respect to B, with D(x, e) the kernel gradient of e at input x, n the batch size:
//
//     amp            −D(x, Fwd)/n                since Bwd is linear in B
//     null            2·D(Rec, Fwd)/n            Rec = Bᵀ∗Fwd: B's gradient pairs what went in, Fwd, with Rec
//     sparse          2·D(x, Bwd)/n
//     reversed_null   2·D(x, W∗(Wᵀ∗Bwd))/n
//
// All weights are read in device memory (DeviceWeights). D is linear in both, and it is what a step pays for,
// so terms share it: amp and null have the error Fwd in common, one D of −α·x + 2β·Rec serves both; where
// there is no null term, amp and the last two have the input x in common. The product of amp's and null's
// gradient with B is α·(amp without b) + 2β·null, so that R needs no second forward pass either.
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const DeviceWeights& weights) {
  using W = DeviceWeights;
  const torch::NoGradGuard no_grad;
  const Tensor& b = backward_kernel;
  const Tensor w = layer.weight.detach();
  const LayerwiseWeights& there = weights.on_host();
  const bool has_null = there.null != 0, has_bwd = there.sparse != 0 || there.reversed_null != 0,
             has_amp = there.amp != 0;

  Tensor gradient;
  Tensor value = torch::zeros({}, b.options());
  if (has_null || (has_amp && !has_bwd)) {
    if (has_null) {
      Tensor source = layer.apply_transposed(b, fwd, x.sizes());
      value -= square_sum(source) * weights.of_sample(W::null);
      if (has_amp) source.addcmul_(x, weights[W::amp_by_twice_null], -1);
      gradient = layer.kernel_gradient(source, fwd).mul_(weights.of_sample(W::twice_null));
    } else {
      gradient = layer.kernel_gradient(x, fwd).mul_(weights.of_sample(W::amp)).neg_();
    }
    value += (b * gradient).sum();
    if (has_amp && there.amp_bias && layer.bias.defined())
      value -= bias_part(layer, fwd) * weights.of_sample(W::amp);
  }
  if (has_bwd) {
    const Tensor bwd = layer.add_bias(layer.apply(b, x));
    Tensor error = torch::zeros_like(bwd);
    if (there.sparse != 0) {
      value += (square_sum(fwd) + square_sum(bwd)) * weights.of_sample(W::sparse);
      error.addcmul_(bwd, weights[W::twice_sparse]);
    }
    if (there.reversed_null != 0) {
      const Tensor down = layer.apply_transposed(w, bwd, x.sizes());
      value += square_sum(down) * weights.of_sample(W::reversed_null);
      error.addcmul_(layer.apply(w, down), weights[W::twice_reversed_null]);
    }
    if (has_amp && !has_null) {
      Tensor amp = (fwd * bwd).sum();
      if (!there.amp_bias && layer.bias.defined()) amp -= bias_part(layer, fwd);
      value -= amp * weights.of_sample(W::amp);
      error.addcmul_(fwd, weights[W::amp], -1);
    }
    const Tensor at_x = layer.kernel_gradient(x, error).div_(static_cast<double>(x.size(0)));
    gradient = gradient.defined() ? gradient.add_(at_x) : at_x;
  }
  if (!gradient.defined()) gradient = torch::zeros_like(b);
  if (there.decay != 0) {
    value += (square_sum(w) + square_sum(b)) * weights[W::decay];
    gradient.addcmul_(b, weights[W::twice_decay]);
  }
  if (there.self != 0) {
    value -= (w * b).sum() * weights[W::self];
    gradient.addcmul_(w, weights[W::self], -1);
  }
  return {value, gradient};
}

LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const LayerwiseWeights& weights) {
  DeviceWeights on_device(backward_kernel.options());
  on_device.set(weights);
  if (x.defined()) on_device.set_batch(x.size(0));
  return layerwise_loss(layer, backward_kernel, x, fwd, on_device);
}

DeviceWeights::DeviceWeights(const torch::TensorOptions& options)
    : all_(torch::zeros({factors}, options.memory_format(c10::nullopt).requires_grad(false))),
      all_by_sample_(torch::zeros_like(all_)) {
  for (std::size_t i = 0; i < factors; ++i) {
    whole_[i] = all_[to_index(i)];
    by_sample_[i] = all_by_sample_[to_index(i)];
  }
}

void DeviceWeights::set(const LayerwiseWeights& weights) {
  if (known_ && weights == weights_) return;
  weights_ = weights;
  known_ = true;
  const LayerwiseWeights& w = weights_;
  std::vector<double> values(factors);
  values[amp] = w.amp;
  values[null] = w.null;
  values[decay] = w.decay;
  values[sparse] = w.sparse;
  values[self] = w.self;
  values[reversed_null] = w.reversed_null;
  values[twice_null] = 2 * w.null;
  values[twice_decay] = 2 * w.decay;
  values[twice_sparse] = 2 * w.sparse;
  values[twice_reversed_null] = 2 * w.reversed_null;
  values[amp_by_twice_null] = w.null != 0 ? w.amp / (2 * w.null) : 0;
  const Tensor host = torch::tensor(values, torch::kFloat64).to(all_.scalar_type());
  all_.copy_(host, /*non_blocking=*/true);
}

void DeviceWeights::set_batch(std::int64_t samples) {
  at::mul_out(all_by_sample_, all_, at::scalar_tensor(1 / static_cast<double>(samples), torch::kFloat64));
}

std::uint64_t DeviceWeights::terms() const {
  std::uint64_t bits = weights_.amp_bias ? 1 : 0;
  for (const double weight :
       {weights_.amp, weights_.null, weights_.decay, weights_.sparse, weights_.self, weights_.reversed_null})
    bits = 2 * bits + (weight != 0 ? 1 : 0);
  return bits;
}

int layerwise_products(const LayerwiseWeights& weights) {
  const bool has_null = weights.null != 0, has_bwd = weights.sparse != 0 || weights.reversed_null != 0;
  int products = 0;
  if (has_null || (weights.amp != 0 && !has_bwd)) products += has_null ? 2 : 1;  // [Bᵀ∗Fwd,] D
  if (has_bwd) products += weights.reversed_null != 0 ? 4 : 2;  // B∗x, [Wᵀ∗Bwd, W∗(Wᵀ∗Bwd),] D
  return products;
}

}  // namespace lrid::rules
