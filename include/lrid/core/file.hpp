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

/// Writes a file whole or not at all: `write` fills a temporary file in the same folder, which is then
/// fsynced and renamed onto `path` (and the folder fsynced). If `write` throws or the disk is full, the
/// temporary is removed and `path` stays as it was. A symbolic link is kept and its target replaced.
/// Throws WorkError with the file and the reason.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);
/// The same for bytes at hand. Stdout ("-"), an open descriptor (/dev/fd/3), a device and a pipe are written
/// to as streams.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Creates a file with these bytes and returns true, or returns false if it exists. Of several processes on
/// any hosts, one creates it; a reader may still find it empty. Throws WorkError if it cannot be created.
bool create_exclusively(const std::filesystem::path& path, std::string_view bytes);

/// Returns the temporary name for what this process will rename onto `path`; no other process uses it.
std::filesystem::path temporary_path(const std::filesystem::path& path);
/// Removes the temporaries of `paths` that killed processes left. Only for the owner of `paths`: it makes a
/// write under way elsewhere fail.
void remove_temporaries_of(const std::vector<std::filesystem::path>& paths);

/// Removes the files of a folder whose names `is_ours` accepts, the temporaries that killed processes left of
/// them, and the folder if that empties it. What anyone else keeps there stays.
void remove_files(const std::filesystem::path& folder,
                  const std::function<bool(std::string_view name)>& is_ours);

/// Returns the name of a file or folder that belongs beside `path`, such as RUN.h5.state. A hash replaces the
/// name of `path` if name and suffix together exceed the system's limit.
std::filesystem::path companion_path(const std::filesystem::path& path, std::string_view suffix);

/// Returns all bytes of a file or pipe. Throws InputError if it cannot be read, Interrupted if an interrupt
/// arrives while no one writes to the pipe.
std::string read_file(const std::filesystem::path& path);
/// A text file, in UTF-8 or any other superset of ASCII, without its byte-order mark; carriage returns that
/// alone end lines become newlines. InputError as read_file's, and for UTF-16 and UTF-32.
std::string read_text(const std::filesystem::path& path);

/// Throws InputError unless `path` is a readable regular file that stdout does not go to, and Interrupted if
/// an interrupt arrives before the file system answers. To be called before a library opens the file by name.
/// `expected` ends the message about a folder or a pipe.
void require_input_file(const std::filesystem::path& path, std::string_view expected = "a file");

/// Returns what a path leads to, file_type::not_found if nothing. Throws Interrupted if an interrupt arrives
/// before the file system answers: for the first look at a path that a user names.
std::filesystem::file_type type_of(const std::filesystem::path& path);

/// Where a result may be written: only to a file, or to a stream as well.
enum class Sink { file, any };

/// Throws InputError if `path` cannot or must not be written; to be called before hours of work, not after.
/// Rejects a folder, a missing or read-only folder, a write-protected file, a name that is too long, and an
/// existing file that is an input or lies in an input folder, whatever links lead there. `option` is the
/// option that holds the path.
void require_writable(const std::filesystem::path& path, std::string_view option,
                      const std::vector<std::filesystem::path>& inputs = {}, Sink sink = Sink::any);

/// Whether a path is stdout, an open descriptor, a device or a pipe, which is written to in order.
bool is_stream(const std::filesystem::path& path);

/// Whether two paths lead to the same file, by device and inode; by name if neither exists yet.
bool same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// Returns the stream for a command's summary: stdout, or stderr if the result itself goes to stdout.
std::FILE* summary_stream(const std::filesystem::path& out);

/// Return the SHA-256 of a file's bytes, or of bytes, in hexadecimal.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256(std::string_view bytes);

/// SHA-256 of bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  std::string hex();  ///< call once, at the end

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace lrid
