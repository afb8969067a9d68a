#include <torch/types.h>

#include <lrid/nn/dropout.hpp>
#include <lrid/nn/keyed_tensor.hpp>

namespace lrid::nn {

Tensor dropout(const Tensor& x, double keep, Key key) {
  const Tensor kept = keyed_uniform(x.sizes(), key, x.options().requires_grad(false)) < keep;
  return x * kept.to(x.scalar_type()).div_(keep);
}

}  // namespace lrid::nn
