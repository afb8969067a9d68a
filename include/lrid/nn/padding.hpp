#pragma once

#include <cstdint>

namespace lrid::nn {

/// How TensorFlow pads (architectures.md). same: output ⌈in/stride⌉, the larger half last; valid: none;
/// fixed: (k−1)/2 on both sides whatever the input size where the stride is above 1, same where it is 1.
enum class Padding { same, valid, fixed };

/// Elements added before and after one spatial axis, and the axis' extent in the output.
struct Pads {
  std::int64_t before = 0, after = 0;
  std::int64_t output = 0;
  [[nodiscard]] bool symmetric() const { return before == after; }
  bool operator==(const Pads&) const = default;
};

/// For an axis of extent `in` ≥ 1 under a window of `kernel` elements. `output` is < 1 where a window does
/// not fit (valid or fixed padding on a small input).
Pads pads(Padding padding, std::int64_t in, std::int64_t kernel, std::int64_t stride);

}  // namespace lrid::nn
