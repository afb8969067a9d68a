#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/data/folder.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

std::string folder_name(const fs::path& folder) {
  const fs::path path = fs::weakly_canonical(folder);
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator iterator(folder, error);
  for (; !error && iterator != fs::directory_iterator(); iterator.increment(error)) {
    std::error_code broken_link;
    if (!iterator->path().filename().string().starts_with('.') &&
        iterator->is_directory(broken_link) == folders)
      entries.push_back(iterator->path());
  }
  if (error) bad_input("{}: cannot read the folder: {}", folder.string(), error.message());
  std::ranges::sort(entries, {}, [](const fs::path& path) { return path.filename().string(); });
  return entries;
}

}  // namespace lrid::data
