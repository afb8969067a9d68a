#include "dropout.hpp"

#include <torch/types.h>

namespace lrid::nn {

Tensor dropout(const Tensor& x, double keep, Key key, const StepNumber& step) {
  const Tensor kept = keyed_uniform(x.sizes(), key, step, x.options().requires_grad(false)) < keep;
  return x * kept.to(x.scalar_type()).div_(keep);
}

}  // namespace lrid::nn
