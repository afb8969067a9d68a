#include <algorithm>

#include <lrid/nn/padding.hpp>

namespace lrid::nn {

Pads pads(Padding padding, std::int64_t in, std::int64_t kernel, std::int64_t stride) {
  Pads result;
  if (padding == Padding::same || (padding == Padding::fixed && stride == 1)) {
    result.output = (in + stride - 1) / stride;
    const std::int64_t total = std::max<std::int64_t>((result.output - 1) * stride + kernel - in, 0);
    result.before = total / 2;
    result.after = total - result.before;
    return result;
  }
  if (padding == Padding::fixed) result.before = result.after = (kernel - 1) / 2;
  const std::int64_t room = in + result.before + result.after - kernel;
  result.output = room < 0 ? 0 : room / stride + 1;
  return result;
}

}  // namespace lrid::nn
