#include <torch/types.h>

#include <lrid/nn/padding.hpp>
#include <lrid/nn/pool.hpp>

namespace lrid::nn {

namespace {

/// LibTorch pads both ends alike; with `ceil_mode` its last window may hang over the end as TensorFlow's
/// does, so that the smaller half is all there is to pad. (Only a stride of 1 leaves no room for it.)
std::array<std::int64_t, 2> first_pads(const Tensor& x, Window window) {
  TORCH_CHECK(window.stride > 1 || window.size % 2 == 1, "even windows need a stride above 1");
  return {pads(Padding::same, x.size(2), window.size, window.stride).before,
          pads(Padding::same, x.size(3), window.size, window.stride).before};
}

}  // namespace

Tensor max_pool(const Tensor& x, Window window) {
  return at::max_pool2d(x, {window.size, window.size}, {window.stride, window.stride}, first_pads(x, window),
                        {1, 1}, true);
}

Tensor average_pool(const Tensor& x, Window window) {
  return at::avg_pool2d(x, {window.size, window.size}, {window.stride, window.stride}, first_pads(x, window),
                        true, false);
}

}  // namespace lrid::nn
