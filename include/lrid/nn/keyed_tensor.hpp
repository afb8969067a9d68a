#pragma once

#include <cstdint>

#include <torch/types.h>

#include <lrid/core/random.hpp>

namespace lrid::nn {

using torch::Tensor;

/// Uniform in [0, 1): element i (row-major) is key.uniform(i), rounded down where the type of `options`
/// (float32 or float64) is shorter. The same bits for any number of threads and on any device.
Tensor keyed_uniform(at::IntArrayRef shape, Key key, const torch::TensorOptions& options);

/// Standard normal, by Box-Muller: elements 2j and 2j+1 come from key.uniform(2j) and key.uniform(2j+1). The
/// same bits for any number of threads; on other devices the same up to rounding.
Tensor keyed_normal(at::IntArrayRef shape, Key key, const torch::TensorOptions& options);

/// The same written as tensor operations, which is how other devices than the processor make them: [n]
/// float64 on `device`.
namespace by_operations {
Tensor uniform(std::int64_t n, Key key, torch::Device device);
Tensor normal(std::int64_t n, Key key, torch::Device device);
}  // namespace by_operations

}  // namespace lrid::nn
