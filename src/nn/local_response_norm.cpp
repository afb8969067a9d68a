#include "local_response_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

namespace lrid::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Sum over the channels within `radius`: one product with a banded matrix of ones, on channels-last memory a
/// plain matrix product of [N·H·W, C] and [C, C].
Tensor channel_window_sum(const Tensor& x, std::int64_t radius) {
  const std::int64_t channels = x.size(1);
  const Tensor band = torch::ones({channels, channels}, x.options()).triu(-radius).tril(radius);
  return at::matmul(x.permute({0, 2, 3, 1}), band).permute({0, 3, 1, 2});
}

/// d^(−beta); square roots are several times faster than powers, and beta is 3/4 everywhere.
Tensor power(const Tensor& d, double beta) {
  return beta == 0.75 ? (d * d.sqrt()).rsqrt_() : d.pow(-beta);
}

/// With d = bias + alpha·S(x²), S the window sum (which is its own transpose):
///
///     y = x·d^(−beta),   ∂x = e·d^(−beta) − 2·alpha·beta·x·S(e·x·d^(−beta−1))
struct NormFunction : torch::autograd::Function<NormFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const LocalResponseNorm& settings) {
    const Tensor d = channel_window_sum(x.square(), settings.radius).mul_(settings.alpha).add_(settings.bias);
    context->save_for_backward({x, d});
    context->saved_data["radius"] = settings.radius;
    context->saved_data["alpha"] = settings.alpha;
    context->saved_data["beta"] = settings.beta;
    return power(d, settings.beta).mul_(x);
  }

  static variable_list backward(AutogradContext* context, const variable_list& errors) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &d = saved[1], &error = errors[0];
    const double alpha = context->saved_data["alpha"].toDouble();
    const double beta = context->saved_data["beta"].toDouble();
    const Tensor scaled = power(d, beta).mul_(error);
    const Tensor spread = channel_window_sum((scaled * x).div_(d), context->saved_data["radius"].toInt());
    return {scaled.addcmul(spread, x, -2 * alpha * beta), Tensor()};
  }
};

}  // namespace

Tensor local_response_norm(const Tensor& x, const LocalResponseNorm& settings) {
  // Small differences from 1 carry the norm: a type with fewer digits than float32 has too few.
  if (x.scalar_type() == torch::kBFloat16 || x.scalar_type() == torch::kFloat16)
    return NormFunction::apply(x.to(torch::kFloat32), settings).to(x.scalar_type());
  return NormFunction::apply(x, settings);
}

}  // namespace lrid::nn
