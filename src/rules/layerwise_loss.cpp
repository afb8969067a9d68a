#include <torch/types.h>

#include <lrid/rules/layerwise_loss.hpp>

namespace lrid::rules {

// Gradients with respect to B, with D(x, e) the kernel gradient of e at input x, n the batch size:
//
//     amp     −D(x, Fwd)/n                since Bwd is linear in B
//     null     2·D(Rec, Fwd)/n            Rec = Bᵀ∗Fwd: B's gradient pairs what went in, Fwd, with Rec
//     sparse   2·D(x, Bwd)/n
//
// amp and null share the error Fwd, and D is linear in its input: one kernel gradient of −α·x + 2β·Rec serves
// both. Its product with B is α·(amp without b) + 2β·null, so R needs no second forward pass either.
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const LayerwiseWeights& weights) {
  const torch::NoGradGuard no_grad;
  const Tensor& b = backward_kernel;
  const Tensor& w = layer.weight;
  const double per_sample = 1.0 / static_cast<double>(x.size(0));
  const auto along_channels = [](const Tensor& bias, const Tensor& like) {
    return like.dim() == 4 ? bias.view({1, -1, 1, 1}) : bias.view({1, -1});
  };

  Tensor gradient = torch::zeros_like(b);
  Tensor value = torch::zeros({}, b.options());
  if (weights.amp != 0 || weights.null != 0) {
    Tensor source, null;
    if (weights.null != 0) {
      const Tensor rec = layer.apply_transposed(b, fwd, x.sizes());
      null = rec.square().sum() * per_sample;
      source = rec * (2 * weights.null);
      if (weights.amp != 0) source.sub_(x, weights.amp);
    } else {
      source = x * -weights.amp;
    }
    gradient = layer.kernel_gradient(source, fwd) * per_sample;
    value = (b * gradient).sum();
    if (weights.null != 0) value -= weights.null * null;
    // Bwd's bias: a constant that amp's value holds and B's gradient does not see.
    if (weights.amp != 0 && layer.bias.defined())
      value -= weights.amp * per_sample * (fwd * along_channels(layer.bias, fwd)).sum();
  }
  if (weights.sparse != 0) {
    Tensor bwd = layer.apply(b, x);
    if (layer.bias.defined()) bwd += along_channels(layer.bias, bwd);
    value += weights.sparse * per_sample * (fwd.square().sum() + bwd.square().sum());
    gradient.add_(layer.kernel_gradient(x, bwd), 2 * weights.sparse * per_sample);
  }
  if (weights.decay != 0) {
    value += weights.decay * (w.square().sum() + b.square().sum());
    gradient.add_(b, 2 * weights.decay);
  }
  if (weights.self != 0) {
    value -= weights.self * (w * b).sum();
    gradient.sub_(w, weights.self);
  }
  return {value, gradient};
}

}  // namespace lrid::rules
