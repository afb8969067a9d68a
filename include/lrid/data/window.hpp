#pragma once

#include <cstdint>

namespace lrid::data {

/// What becomes of an image of a data set: a window is cut out of it, of a size that all share, and mirrored
/// or not. A row of int32 numbers where a batch of them is a tensor.
struct Window {
  static constexpr int numbers = 4;

  std::int32_t image = 0;          ///< its number
  std::int32_t top = 0, left = 0;  ///< where the window starts; what lies outside of the image is zero
  std::int32_t flip = 0;           ///< 1: columns in reverse order
};
static_assert(sizeof(Window) == Window::numbers * sizeof(std::int32_t));

}  // namespace lrid::data
