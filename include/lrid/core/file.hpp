#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace lrid {

/// Writes a file whole or not at all: `write` fills a temporary name in the same folder, which is then
/// fsynced and renamed onto `path` (and the folder fsynced). If `write` throws, or the disk is full, the
/// temporary file is removed and `path` is as it was. Throws WorkError naming the file and the reason.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);
/// The same for bytes at hand.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes temporary files of `path` that killed processes left behind. For the one owner of `path`: a write
/// under way elsewhere would fail.
void remove_temporaries_of(const std::filesystem::path& path);

/// The whole file; InputError naming it if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Throws InputError if `path` could not be written later (folder missing or not writable, a folder itself):
/// called before hours of work, not after. `option` names the option that held the path.
void require_writable(const std::filesystem::path& path, std::string_view option);

/// Hex SHA-256 of a file's bytes, of bytes.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256(std::string_view bytes);

}  // namespace lrid
