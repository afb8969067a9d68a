#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lrid::data {

/// The folder's own name, also of "." and "data/".
std::string folder_name(const std::filesystem::path& folder);

/// A folder's visible entries, sorted by name, and how many are hidden (their name begins with a dot).
struct Entries {
  std::vector<std::filesystem::path> files, folders;
  std::int64_t hidden = 0;
};
/// InputError if the folder cannot be read.
Entries list_folder(const std::filesystem::path& folder);

/// Files (or folders) in a folder, sorted by name, without hidden ones. InputError if it cannot be read.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, bool folders);

}  // namespace lrid::data
