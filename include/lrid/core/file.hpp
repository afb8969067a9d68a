#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;  // OpenSSL's

namespace lrid {

/// Writes a file whole or not at all: `write` fills a temporary name in the same folder, which is then
/// fsynced and renamed onto `path` (and the folder fsynced). If `write` throws, or the disk is full, the
/// temporary file is removed and `path` is as it was. Throws WorkError naming the file and the reason.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);
/// The same for bytes at hand.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Creates a file that holds these bytes; false if there is one already. Of several processes on any hosts
/// that try, one creates it. A reader may still find it empty. WorkError naming the file if it cannot be
/// created.
bool create_exclusively(const std::filesystem::path& path, std::string_view bytes);

/// The name under which this process prepares what it will rename onto `path`; no other process uses it.
std::filesystem::path temporary_path(const std::filesystem::path& path);
/// Removes what killed processes left under such names of `paths`, which are all in one folder. For the one
/// owner of `paths`: a write under way elsewhere would fail.
void remove_temporaries_of(const std::vector<std::filesystem::path>& paths);

/// The whole file; InputError naming it if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Throws InputError if `path` could not be written later (folder missing or not writable, a folder itself):
/// called before hours of work, not after. `option` names the option that held the path.
void require_writable(const std::filesystem::path& path, std::string_view option);

/// Hex SHA-256 of a file's bytes, of bytes.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256(std::string_view bytes);

/// The same of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  std::string hex();  ///< to be called once

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace lrid
