#pragma once

#include <cstddef>
#include <cstdint>

namespace lrid::fuzzing {

/// Does with these bytes, as a file, whatever our programs do with the files they are given. Any exception
/// but InputError gets out, and ends the fuzzer. Whether `show` had nothing to complain of.
bool read_anything(const std::uint8_t* bytes, std::size_t size);

}  // namespace lrid::fuzzing
