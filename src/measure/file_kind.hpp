#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace lrid::measure {

/// Whether a file holds JSON, as results do, whatever it is called; all our other files are HDF5.
inline bool is_json(const std::filesystem::path& path) {
  if (path.extension() == ".json") return true;
  std::ifstream file(path);
  std::string start(3, '\0');
  file.read(start.data(), std::ssize(start));
  if (start != "\xEF\xBB\xBF") file.clear(), file.seekg(0);  // a byte-order mark
  char first = 0;
  return file >> first && first == '{';
}

}  // namespace lrid::measure
