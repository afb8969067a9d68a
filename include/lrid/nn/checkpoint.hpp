#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/nn/named_tensor.hpp>
#include <lrid/nn/network.hpp>

namespace lrid::nn {

/// Everything of a network that training changes, live: parameters, then running averages.
std::vector<NamedTensor> tensors_of(const Network& network);

/// A list of tensors as bytes, exact to the bit, and back (as contiguous CPU tensors). The bytes begin with a
/// format version and the total length and end with a SHA-256 of the rest. Reading throws InputError that
/// begins with `source` (the file's name) where bytes are missing, changed, or of another kind or version.
std::string pack_tensors(const std::vector<NamedTensor>& tensors);
std::vector<NamedTensor> unpack_tensors(std::string_view bytes, const std::string& source);

/// The same with a file, written whole or not at all.
void save_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);
std::vector<NamedTensor> load_tensors(const std::filesystem::path& path);

/// Copies saved values into live tensors of the same names, whatever their device and memory format.
/// InputError that begins with `source` where a name is missing or superfluous, or a shape or type differs.
void restore(const std::vector<NamedTensor>& live, const std::vector<NamedTensor>& saved,
             const std::string& source);

}  // namespace lrid::nn
