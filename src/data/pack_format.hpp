// The parts of a pack's format (lrid/data/pack.hpp) that its writer and its reader share.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include <lrid/core/file.hpp>

namespace lrid::data::pack_format {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are in memory");

inline constexpr std::string_view magic = "lrid-image-pack\n";
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t header_size = 16 + 2 * sizeof(std::uint32_t) + 4 * sizeof(std::uint64_t);

struct Entry {
  std::uint64_t begin, size, hash;
  std::uint32_t label;
  std::string name;
};

inline std::uint64_t hash_of(std::string_view bytes) {
  return std::stoull(sha256(bytes).substr(0, 16), nullptr, 16);
}

}  // namespace lrid::data::pack_format
