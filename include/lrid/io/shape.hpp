#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lrid::io::hdf5 {

/// Extents of an array, slowest dimension first; empty for a single value.
using Shape = std::vector<std::int64_t>;

/// "[21, 5, 45]"; "any" for an extent below 0.
std::string to_string(const Shape& shape);

/// The product of the extents; 2⁶³−1 if it is that or more.
std::int64_t element_count(const Shape& shape);

}  // namespace lrid::io::hdf5
