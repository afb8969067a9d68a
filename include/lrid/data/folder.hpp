#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lrid::data {

/// The folder's own name, also of "." and "data/".
std::string folder_name(const std::filesystem::path& folder);

/// Files (or folders) in a folder, sorted by name, without hidden ones. InputError if it cannot be read.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, bool folders);

}  // namespace lrid::data
