#pragma once

#include <cstdint>

#include <torch/types.h>

namespace lrid::nn {

using torch::Tensor;

/// A square pooling window with TensorFlow's SAME padding.
struct Window {
  std::int64_t size = 3, stride = 2;
};

/// x [N, C, H, W] → [N, C, ⌈H/stride⌉, ⌈W/stride⌉]. Padding never wins. Differentiable: the error goes to
/// the first of equal maxima (row by row).
Tensor max_pool(const Tensor& x, Window window = {});

/// The same with the mean over the window's real elements (not over size²).
Tensor average_pool(const Tensor& x, Window window = {});

}  // namespace lrid::nn
