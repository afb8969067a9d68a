#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/data/folder.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

std::string folder_name(const fs::path& folder) {
  const fs::path path = fs::weakly_canonical(folder);
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

Entries list_folder(const fs::path& folder) {
  Entries entries;
  std::error_code error;
  fs::directory_iterator iterator(folder, error);
  for (; !error && iterator != fs::directory_iterator(); iterator.increment(error)) {
    std::error_code broken_link;
    if (iterator->path().filename().string().starts_with('.'))
      ++entries.hidden;
    else
      (iterator->is_directory(broken_link) ? entries.folders : entries.files).push_back(iterator->path());
  }
  if (error) bad_input("{}: cannot read the folder: {}", folder.string(), error.message());
  const auto name = [](const fs::path& path) { return path.filename().string(); };
  std::ranges::sort(entries.files, {}, name);
  std::ranges::sort(entries.folders, {}, name);
  return entries;
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  Entries entries = list_folder(folder);
  return folders ? std::move(entries.folders) : std::move(entries.files);
}

}  // namespace lrid::data
