#pragma once

#include <filesystem>
#include <fstream>

namespace lrid::measure {

/// Whether a file holds JSON, as results do, whatever it is called; all our other files are HDF5.
inline bool is_json(const std::filesystem::path& path) {
  if (path.extension() == ".json") return true;
  std::ifstream file(path);
  char first = 0;
  return file >> first && first == '{';
}

}  // namespace lrid::measure
