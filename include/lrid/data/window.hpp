#pragma once

#include <cstdint>

namespace lrid::data {

/// A window of an image: cut out at a place, in a size that a whole batch shares, and mirrored or not. A
/// batch of them is an int32 tensor with one row each.
struct Window {
  static constexpr int numbers = 4;

  std::int32_t image = 0;          ///< its number
  std::int32_t top = 0, left = 0;  ///< where the window starts; what lies outside of the image is zero
  std::int32_t flip = 0;           ///< 1: columns in reverse order
};
static_assert(sizeof(Window) == Window::numbers * sizeof(std::int32_t));

}  // namespace lrid::data
