#pragma once

#include <filesystem>
#include <string>

namespace lrid {

/// The target of a path once its symbolic links are followed.
struct Place {
  enum class Kind { file, folder, descriptor, device, pipe, other };
  Kind kind = Kind::file;
  std::filesystem::path path;    ///< free of symbolic links at its end
  bool exists = false;           ///< false only for a file yet to be created
  bool write_protected = false;  ///< a file that nobody may write to
  int descriptor = -1;           ///< of this process, for Kind::descriptor (/dev/fd/3)

  [[nodiscard]] bool is_stream() const {
    return kind == Kind::descriptor || kind == Kind::device || kind == Kind::pipe;
  }
  /// Returns "a pipe" and the like, for messages.
  [[nodiscard]] std::string noun() const;
};

/// Follows a path; "-" is stdout. Throws std::system_error for a name that is too long, a cycle of links or a
/// folder that may not be searched.
Place place_of(const std::filesystem::path& path);

/// Returns the folder of a path's last part.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace lrid
