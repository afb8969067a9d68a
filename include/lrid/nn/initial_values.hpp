#pragma once

#include <cstdint>

#include <torch/types.h>

#include <lrid/core/random.hpp>

namespace lrid::nn {

using torch::Tensor;

/// Distribution of a kernel's initial values (architectures.md).
struct Initializer {
  enum class Kind {
    normal,            ///< mean 0, standard deviation `sd`
    truncated_normal,  ///< the normal of deviation `sd`, cut at 2·sd; what remains has deviation 0.8796·sd
    glorot_uniform,    ///< uniform in ±√(6/(fan_in + fan_out))
    variance_scaling   ///< truncated normal whose variance after the cut is 1/fan_in
  } kind = Kind::normal;
  double sd = 0.01;  ///< normal and truncated_normal only
};

/// Inputs and outputs of one unit: in·k·k and out·k·k of a kernel [out, in, k, k]; in and out of [out, in].
struct Fans {
  std::int64_t in = 0, out = 0;
};
Fans fans(at::IntArrayRef kernel_shape);

/// A kernel drawn from the distribution. Element i (row-major) depends on the key and i only, whatever the
/// memory format, device or number of threads; it is computed in float64 and rounded to the type of
/// `options`. The memory format of `options` applies to 4-dimensional shapes.
Tensor draw_initial_values(const Initializer& initializer, at::IntArrayRef shape, Key key,
                           const torch::TensorOptions& options);

}  // namespace lrid::nn
