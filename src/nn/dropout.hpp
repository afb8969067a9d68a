#pragma once

#include <torch/types.h>

#include <lrid/core/random.hpp>
#include <lrid/nn/keyed_tensor.hpp>

namespace lrid::nn {

using torch::Tensor;

/// Dropout (Srivastava et al. 2014): each element of x is kept with probability `keep` and then divided by
/// it, else 0. Which ones is a function of key, step and the element's row-major index alone: not of threads
/// or device. Differentiable.
Tensor dropout(const Tensor& x, double keep, Key key, const StepNumber& step);

}  // namespace lrid::nn
