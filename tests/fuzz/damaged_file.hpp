#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace lrid::fuzzing {

/// A file of the corpus (in folder `corpus`) with some bytes changed. `input`: which file, then for each
/// change its place (two bytes) and the new value; the signature is left alone. Empty where the input is too
/// short.
std::string damaged_file(const std::filesystem::path& corpus, const std::uint8_t* input, std::size_t size);

}  // namespace lrid::fuzzing
