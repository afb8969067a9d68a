#pragma once

#include <cstddef>
#include <cstdint>

namespace lrid {

// Rows, columns and counts are signed, as in Eigen and HDF5; indices into standard containers are not. Both
// conversions assume a value that the other type can hold.

constexpr std::size_t to_size(std::int64_t index) {
  return static_cast<std::size_t>(index);
}
constexpr std::int64_t to_index(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

}  // namespace lrid
