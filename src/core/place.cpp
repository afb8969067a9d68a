#include "place.hpp"

#include <cerrno>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/text.hpp>

namespace lrid {

namespace fs = std::filesystem;

namespace {

constexpr int most_links = 40;  // Linux's limit, path_resolution(7)

/// Returns N for /dev/fd/N and /proc/self/fd/N, -1 for other paths. Such a link is not followed: it may lead
/// to the file that the shell redirected to, and replacing that by name would lose the output.
int descriptor_of(const fs::path& path) {
  const auto number = parse_number<std::int64_t>(path.filename().string());
  if (!number || *number < 0 || *number > 1 << 20) return -1;
  std::error_code ignored;
  const fs::path folder = fs::canonical(folder_of(path), ignored);
  return !folder.empty() && folder == fs::canonical("/proc/self/fd", ignored) ? static_cast<int>(*number)
                                                                              : -1;
}

Place::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return Place::Kind::file;
  if (S_ISDIR(mode)) return Place::Kind::folder;
  if (S_ISCHR(mode)) return Place::Kind::device;
  if (S_ISFIFO(mode)) return Place::Kind::pipe;
  return Place::Kind::other;
}

}  // namespace

std::string Place::noun() const {
  switch (kind) {
    case Kind::file:
      return "a file";
    case Kind::folder:
      return "a folder";
    case Kind::descriptor:
      return descriptor == STDOUT_FILENO ? "stdout" : "an open descriptor";
    case Kind::device:
      return "a device";
    case Kind::pipe:
      return "a pipe";
    case Kind::other:
      break;
  }
  return "a block device or socket";
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Place place_of(const fs::path& path) {
  fs::path at = path == "-" ? "/proc/self/fd/1" : path;
  for (int links = 0; links <= most_links; ++links) {
    if (const int descriptor = descriptor_of(at); descriptor >= 0)
      return {.kind = Place::Kind::descriptor, .path = at, .exists = true, .descriptor = descriptor};
    struct stat status {};
    if (::lstat(at.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) throw std::system_error(errno, std::generic_category());
      return {.path = at};
    }
    if (!S_ISLNK(status.st_mode))
      return {.kind = kind_of(status.st_mode),
              .path = at,
              .exists = true,
              .write_protected = S_ISREG(status.st_mode) && (status.st_mode & 0222U) == 0};
    at = folder_of(at) / fs::read_symlink(at);  // an absolute target replaces the folder
  }
  throw std::system_error(ELOOP, std::generic_category());
}

}  // namespace lrid
