#pragma once

#include <filesystem>
#include <string>

namespace lrid {

/// Where a path leads once its symbolic links are followed: what bytes written to it would meet.
struct Place {
  enum class Kind { file, folder, descriptor, device, pipe, other };
  Kind kind = Kind::file;
  std::filesystem::path path;    ///< no symbolic link; names nothing yet if `exists` is false
  bool exists = false;           ///< always true of what is no file
  bool write_protected = false;  ///< a file that not even its owner may write to
  int descriptor = -1;           ///< for Kind::descriptor: one of this process, as in /dev/fd/3

  /// "a pipe", for messages.
  [[nodiscard]] std::string noun() const;
};

/// "-" is descriptor 1. Throws std::system_error where a path leads nowhere: a name too long, a circle of
/// links, a folder that may not be searched. A missing folder is a file that does not exist.
Place place_of(const std::filesystem::path& path);

/// The folder that holds the last part of a path.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace lrid
