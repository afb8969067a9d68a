#pragma once

#include <cstdint>
#include <string>

namespace lrid::io {

/// Where a layer of a recording stands, if nobody said; otherwise 0 early, 1 middle, 2 deep.
constexpr std::uint8_t unknown_position = 255;

/// The position that a text names: early, middle, deep, or a number from 0 (input) to 1 (output), a third of
/// the range for each. Throws InputError beginning with `where` for any other.
std::uint8_t layer_position_of(const std::string& text, const std::string& where);

}  // namespace lrid::io
