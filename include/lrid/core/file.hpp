#pragma once

#include <cstdio>
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
/// temporary file is removed and `path` is as it was. A symbolic link stays one: its target is replaced.
/// Throws WorkError naming the file and the reason.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);
/// The same for bytes at hand. "-", an open descriptor (/dev/stdout), a device or a pipe cannot be replaced:
/// the bytes are written to it in order.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Creates a file that holds these bytes; false if there is one already. Of several processes on any hosts
/// that try, one creates it. A reader may still find it empty. WorkError naming the file if it cannot be
/// created.
bool create_exclusively(const std::filesystem::path& path, std::string_view bytes);

/// The name under which this process prepares what it will rename onto `path`; no other process uses it.
std::filesystem::path temporary_path(const std::filesystem::path& path);
/// Removes what killed processes left under such names. For the one owner of `paths`: a write under way
/// elsewhere would fail.
void remove_temporaries_of(const std::vector<std::filesystem::path>& paths);

/// The name of a file or folder that belongs beside the result `path`, such as RUN.h5.state; a hash stands
/// for the name of `path` where both together are longer than a name may be.
std::filesystem::path companion_path(const std::filesystem::path& path, std::string_view suffix);

/// All bytes of a file or pipe; InputError naming it if it cannot be read, Interrupted if nobody writes to
/// the pipe.
std::string read_file(const std::filesystem::path& path);
/// A text file, in UTF-8 or any other superset of ASCII, without its byte-order mark. InputError as
/// read_file's, and for UTF-16 and UTF-32.
std::string read_text(const std::filesystem::path& path);

/// For libraries that open files by name: throws InputError unless `path` is a regular file that can be
/// read and is not what stdout goes to, Interrupted if its file system does not answer. `expected` ends the
/// message about a folder or a pipe.
void require_input_file(const std::filesystem::path& path, std::string_view expected = "a file");

/// What a result may be written to: only a file, or also a stream.
enum class Sink { file, any };

/// Throws InputError if `path` could not be written later: called before hours of work, not after. That is a
/// folder, a path in a missing or read-only folder, a write-protected file, a name too long, and a file that
/// is one of the inputs or in a folder among them, whatever links lead there. `option` names the option that
/// held the path.
void require_writable(const std::filesystem::path& path, std::string_view option,
                      const std::vector<std::filesystem::path>& inputs = {}, Sink sink = Sink::any);

/// Whether two paths are the same file by device and inode; of two that do not exist, whether they would be.
bool same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// Where a command tells what it wrote to `out`: stdout, or stderr where the result itself goes to stdout.
std::FILE* summary_stream(const std::filesystem::path& out);

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
