#pragma once

#include <cstdint>

#include <torch/types.h>

namespace lrid::nn {

using torch::Tensor;

/// Local response normalisation over channels (Krizhevsky 2012):
/// y_c = x_c / (bias + alpha · Σ_{|j−c| ≤ radius} x_j²)^beta. As in TensorFlow and unlike LibTorch's layer,
/// alpha is not divided by the number of channels summed over.
struct LocalResponseNorm {
  std::int64_t radius = 5;
  double bias = 1, alpha = 1e-4, beta = 0.75;
};

/// x [N, C, H, W] → the same shape. Differentiable.
Tensor local_response_norm(const Tensor& x, const LocalResponseNorm& settings);

}  // namespace lrid::nn
