#include <torch/types.h>

#include <lrid/rules/layerwise_loss.hpp>

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
// D is linear in both, and it is what a step pays for, so terms share it: amp and null have the error Fwd in
// common, one D of −α·x + 2β·Rec serves both; where there is no null term, amp and the last two have the
// input x in common. The product of amp's and null's gradient with B is α·(amp without b) + 2β·null, so that
// R needs no second forward pass either.
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const LayerwiseWeights& weights) {
  const torch::NoGradGuard no_grad;
  const Tensor& b = backward_kernel;
  const Tensor w = layer.weight.detach();
  const bool has_null = weights.null != 0, has_bwd = weights.sparse != 0 || weights.reversed_null != 0,
             has_amp = weights.amp != 0;
  const double per_sample = has_amp || has_null || has_bwd ? 1.0 / static_cast<double>(x.size(0)) : 0;

  Tensor gradient;
  Tensor value = torch::zeros({}, b.options());
  if (has_null || (has_amp && !has_bwd)) {
    double scale = -weights.amp;  // of D's input
    Tensor null, source = x;
    if (has_null) {
      source = layer.apply_transposed(b, fwd, x.sizes());
      null = square_sum(source);
      scale = 2 * weights.null;
      if (has_amp) source.sub_(x, weights.amp / scale);
    }
    gradient = layer.kernel_gradient(source, fwd).mul_(scale * per_sample);
    value += (b * gradient).sum();
    if (has_null) value -= null * (weights.null * per_sample);
    if (has_amp && weights.amp_bias && layer.bias.defined())
      value -= bias_part(layer, fwd) * (weights.amp * per_sample);
  }
  if (has_bwd) {
    const Tensor bwd = layer.add_bias(layer.apply(b, x));
    Tensor error = torch::zeros_like(bwd);
    if (weights.sparse != 0) {
      value += (square_sum(fwd) + square_sum(bwd)) * (weights.sparse * per_sample);
      error.add_(bwd, 2 * weights.sparse);
    }
    if (weights.reversed_null != 0) {
      const Tensor down = layer.apply_transposed(w, bwd, x.sizes());
      value += square_sum(down) * (weights.reversed_null * per_sample);
      error.add_(layer.apply(w, down), 2 * weights.reversed_null);
    }
    if (has_amp && !has_null) {
      Tensor amp = (fwd * bwd).sum();
      if (!weights.amp_bias && layer.bias.defined()) amp -= bias_part(layer, fwd);
      value -= amp * (weights.amp * per_sample);
      error.sub_(fwd, weights.amp);
    }
    const Tensor at_x = layer.kernel_gradient(x, error).mul_(per_sample);
    gradient = gradient.defined() ? gradient.add_(at_x) : at_x;
  }
  if (!gradient.defined()) gradient = torch::zeros_like(b);
  if (weights.decay != 0) {
    value += (square_sum(w) + square_sum(b)) * weights.decay;
    gradient.add_(b, 2 * weights.decay);
  }
  if (weights.self != 0) {
    value -= (w * b).sum() * weights.self;
    gradient.sub_(w, weights.self);
  }
  return {value, gradient};
}

int layerwise_products(const LayerwiseWeights& weights) {
  const bool has_null = weights.null != 0, has_bwd = weights.sparse != 0 || weights.reversed_null != 0;
  int products = 0;
  if (has_null || (weights.amp != 0 && !has_bwd)) products += has_null ? 2 : 1;  // [Bᵀ∗Fwd,] D
  if (has_bwd) products += weights.reversed_null != 0 ? 4 : 2;  // B∗x, [Wᵀ∗Bwd, W∗(Wᵀ∗Bwd),] D
  return products;
}

}  // namespace lrid::rules
