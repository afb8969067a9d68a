#include "dropout.hpp"

#include <torch/types.h>

namespace lrid::nn {

namespace {

/// Random numbers have no form in shorter types.
torch::TensorOptions at_least_float32(const torch::TensorOptions& options) {
  return options.dtype() == torch::kFloat64 ? options : options.dtype(torch::kFloat32);
}

}  // namespace

Tensor dropout(const Tensor& x, double keep, Key key, const StepNumber& step) {
  const Tensor kept =
      keyed_uniform(x.sizes(), key, step, at_least_float32(x.options().requires_grad(false))) < keep;
  return x * kept.to(x.scalar_type()).div_(keep);
}

}  // namespace lrid::nn
