#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/text.hpp>

#include "place.hpp"
#include "standard_output.hpp"

namespace lrid {

namespace fs = std::filesystem;

namespace {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }
  /// Closes it; some file systems report failed writes only here.
  int close() { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

/// Syncs by path, which also covers files written by a library.
void sync(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) work_failed("{}: cannot open to sync: {}", path.string(), std::strerror(errno));
  if (::fsync(file.number()) != 0 && errno != EINVAL)  // EINVAL: a file system without fsync for folders
    work_failed("{}: cannot sync: {}", path.string(), std::strerror(errno));
}

/// Returns the length limit of names in a folder, in bytes.
std::size_t longest_name(const fs::path& folder) {
  const long limit = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  return limit > 0 ? static_cast<std::size_t>(limit) : 255;
}

constexpr std::string_view temporary_suffix = ".tmp";
constexpr std::size_t most_digits = 20;  // of a 64-bit number

/// Returns the beginning of the names of a path's temporaries.
std::string temporary_prefix(const fs::path& path) {
  const std::string name = path.filename().string();
  const bool fits = name.size() + 2 + most_digits + temporary_suffix.size() <= longest_name(folder_of(path));
  return fmt::format(".{}.", fits ? name : sha256(name).substr(0, 32));
}

/// Returns what temporary_prefix gave for a name of exactly the form PREFIX NUMBER .tmp, else "".
std::string prefix_of_temporary(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(temporary_suffix)) return "";
  name.remove_suffix(temporary_suffix.size());
  const std::size_t dot = name.rfind('.');
  if (!parse_number<std::uint64_t>(name.substr(dot + 1))) return "";
  return std::string(name.substr(0, dot + 1));
}

/// Returns a number that no other process writing to the same folder has; process ids repeat across hosts.
std::uint64_t process_number() {
  static const std::uint64_t number = system_bits();
  return number + static_cast<std::uint64_t>(::getpid());  // after a fork, another
}

/// Writes all bytes; returns 0 or errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

[[noreturn]] void cannot_write(const fs::path& path, std::size_t bytes, int reason) {
  work_failed("{}: cannot write {} bytes: {}", path.string(), bytes, std::strerror(reason));
}

/// Writes all bytes to a newly created file and closes it; messages name `path`.
void write_to(int descriptor, std::string_view bytes, const fs::path& path) {
  Descriptor file(descriptor);
  int reason = write_all(descriptor, bytes);
  if (file.close() != 0 && reason == 0) reason = errno;
  if (reason != 0) cannot_write(path, bytes.size(), reason);
}

/// Writes to a descriptor, device or pipe, whose reader may never come.
void write_stream(const Place& place, std::string_view bytes, const fs::path& path) {
  if (place.descriptor == STDOUT_FILENO) return write_to_stdout(bytes);
  const int reason = interruptibly([place, all = std::string(bytes)] {
    if (place.kind == Place::Kind::descriptor) return write_all(place.descriptor, all);
    Descriptor stream(::open(place.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (stream.number() < 0) return errno;
    const int failed = write_all(stream.number(), all);
    return stream.close() != 0 && failed == 0 ? errno : failed;
  });
  if (reason != 0) cannot_write(path, bytes.size(), reason);
}

/// Follows the path of a result; throws WorkError if it leads nowhere.
Place place_of_result(const fs::path& path) {
  try {
    return place_of(path);
  } catch (const std::system_error& error) {
    work_failed("{}: cannot write: {}", path.string(), error.code().message());
  }
}

/// Reads a file piece by piece; throws InputError with its name.
void read_pieces(const fs::path& path, const std::function<void(std::string_view)>& use) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.number() < 0) bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
  std::vector<char> buffer(1 << 18);
  while (true) {
    const ssize_t count = ::read(file.number(), buffer.data(), buffer.size());
    if (count == 0) return;
    if (count > 0)
      use({buffer.data(), static_cast<std::size_t>(count)});
    else if (errno == EISDIR)
      bad_input("{}: is a folder, expected a file", path.string());
    else if (errno != EINTR)
      bad_input("{}: reading failed: {}", path.string(), std::strerror(errno));
  }
}

std::string read_whole(const fs::path& path) {
  std::string bytes;
  std::error_code unknown;
  if (const auto size = fs::file_size(path, unknown); !unknown) bytes.reserve(size);
  read_pieces(path, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Returns the status of the file that stdout goes to, if it is one.
std::optional<struct stat> file_at_stdout() {
  struct stat status {};
  if (::fstat(STDOUT_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status;
}

/// Whether an existing file lies in a folder or its subfolders.
bool is_below(const fs::path& file, const struct stat& folder) {
  std::error_code ignored;
  fs::path at = fs::canonical(file, ignored).parent_path();
  for (; !at.empty(); at = at.parent_path()) {
    const auto status = status_of(at);
    if (status && is_same(*status, folder)) return true;
    if (at == at.root_path()) break;
  }
  return false;
}

/// Whether a folder leads to an existing file: holds it, another name of it, or a link to it or to a folder
/// that holds it.
bool leads_to(const fs::path& folder, const struct stat& status, const fs::path& file,
              const struct stat& file_status) {
  if (is_below(file, status)) return true;
  std::error_code ignored;
  const auto options = fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(folder, options, ignored)) {
    // Asking for the status of each of a million images takes minutes on a network.
    if (file_status.st_nlink < 2 && !entry.is_symlink(ignored)) continue;
    const auto found = status_of(entry.path());
    if (!found) continue;
    if (is_same(*found, file_status) || (S_ISDIR(found->st_mode) && is_below(file, *found))) return true;
  }
  return false;
}

/// Throws InputError if an output is one of the inputs or in an input folder.
void require_no_input(const std::optional<struct stat>& output, const Place& place,
                      const std::vector<fs::path>& inputs, const std::string& what) {
  if (!output || !S_ISREG(output->st_mode)) return;
  for (const fs::path& input : inputs) {
    const auto status = status_of(input);
    if (!status) continue;
    if (is_same(*status, *output))
      bad_input("{}: is the input {}, expected another file", what, input.string());
    if (S_ISDIR(status->st_mode) && leads_to(input, *status, place.path, *output))
      bad_input("{}: is in the input {}, expected a file that is not there yet, or is elsewhere", what,
                input.string());
  }
}

struct RemoveOnExit {
  fs::path path;
  ~RemoveOnExit() {
    std::error_code ignored;
    if (!path.empty()) fs::remove(path, ignored);
  }
};

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
    work_failed("libcrypto: SHA-256 is not available");
}

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

fs::path temporary_path(const fs::path& path) {
  return folder_of(path) / fmt::format("{}{}{}", temporary_prefix(path), process_number(), temporary_suffix);
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  const Place place = place_of_result(path);
  if (place.kind != Place::Kind::file) work_failed("{}: is {}, expected a file", path.string(), place.noun());
  const fs::path temporary = temporary_path(place.path);
  RemoveOnExit remove{temporary};
  write(temporary);
  sync(temporary);
  std::error_code error;
  fs::rename(temporary, place.path, error);
  if (error) work_failed("{}: cannot rename into place: {}", path.string(), error.message());
  remove.path.clear();
  sync(folder_of(place.path));
}

void remove_temporaries_of(const std::vector<fs::path>& paths) {
  std::error_code ignored;
  for (const fs::path& path : paths) {
    const fs::path target = place_of_result(path).path;
    const std::string prefix = temporary_prefix(target);
    for (const auto& entry : fs::directory_iterator(folder_of(target), ignored))
      if (prefix_of_temporary(entry.path().filename().string()) == prefix)
        fs::remove_all(entry.path(), ignored);
  }
}

void remove_files(const fs::path& folder, const std::function<bool(std::string_view)>& is_ours) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string prefix = prefix_of_temporary(name);  // ".NAME."
    if (is_ours(name) ||
        (prefix.size() > 2 && is_ours(std::string_view(prefix).substr(1, prefix.size() - 2))))
      fs::remove(entry.path(), ignored);
  }
  if (!fs::is_symlink(folder, ignored) && fs::is_empty(folder, ignored)) fs::remove(folder, ignored);
}

void write_atomically(const fs::path& path, std::string_view bytes) {
  if (const Place place = place_of_result(path); place.is_stream()) return write_stream(place, bytes, path);
  write_atomically(path, [&](const fs::path& temporary) {
    const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) work_failed("{}: cannot write: {}", path.string(), std::strerror(errno));
    write_to(descriptor, bytes, path);
  });
}

bool create_exclusively(const fs::path& path, std::string_view bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) work_failed("{}: cannot create: {}", path.string(), std::strerror(errno));
  RemoveOnExit remove{path};
  write_to(descriptor, bytes, path);
  remove.path.clear();
  return true;
}

std::string read_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return read_whole(path);
  return interruptibly([path] { return read_whole(path); });  // a pipe may have no writer
}

std::string read_text(const fs::path& path) {
  std::string text = read_file(path);
  constexpr std::string_view utf8 = "\xEF\xBB\xBF", utf16_little = "\xFF\xFE", utf16_big = "\xFE\xFF";
  if (text.starts_with(utf8)) text.erase(0, utf8.size());
  // Without a mark, every other byte of ASCII text in UTF-16 is zero; plain text has none.
  const std::string_view start = std::string_view(text).substr(0, 4096);
  if (text.starts_with(utf16_little) || text.starts_with(utf16_big) || start.find('\0') != start.npos)
    bad_input("{}: is text in UTF-16 or no text at all, expected UTF-8 (\"CSV UTF-8\" in spreadsheets)",
              path.string());
  // "CSV (Macintosh)" of spreadsheets ends lines as Macs once did.
  if (text.find('\n') == std::string::npos) std::ranges::replace(text, '\r', '\n');
  return text;
}

void require_input_file(const fs::path& path, std::string_view expected) {
  interruptibly([path, expected = std::string(expected)] {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.number() < 0 && errno == ENOENT) bad_input("{}: no such file", path.string());
    if (file.number() < 0) bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
    struct stat status {};
    if (::fstat(file.number(), &status) != 0)
      bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
    if (!S_ISREG(status.st_mode))
      bad_input("{}: is {}, expected {}", path.string(), place_of(path).noun(), expected);
    const auto output = file_at_stdout();
    if (output && is_same(*output, status))
      bad_input("{}: is the file that stdout goes to, expected another one", path.string());
  });
}

bool same_file(const fs::path& one, const fs::path& other) {
  const auto status = [](const fs::path& path) { return status_of(path == "-" ? "/dev/stdout" : path); };
  const auto first = status(one), second = status(other);
  if (first && second) return is_same(*first, *second);
  std::error_code ignored;
  return !first && !second && fs::weakly_canonical(one, ignored) == fs::weakly_canonical(other, ignored);
}

fs::file_type type_of(const fs::path& path) {
  return interruptibly([path] {
    std::error_code ignored;
    return fs::status(path, ignored).type();
  });
}

bool is_stream(const fs::path& path) {
  try {
    return place_of(path).is_stream();
  } catch (const std::system_error&) {
    return false;
  }
}

std::FILE* summary_stream(const fs::path& out) {
  try {
    return place_of(out).descriptor == STDOUT_FILENO ? stderr : stdout;
  } catch (const std::system_error&) {
    return stdout;
  }
}

fs::path companion_path(const fs::path& path, std::string_view suffix) {
  const std::string name = path.filename().string();
  const bool fits = name.size() + suffix.size() <= longest_name(folder_of(path));
  return folder_of(path) / fmt::format("{}{}", fits ? name : sha256(name).substr(0, 32), suffix);
}

void require_writable(const fs::path& path, std::string_view option, const std::vector<fs::path>& inputs,
                      Sink sink) {
  if (path.empty()) bad_input("{}: is empty, expected a path", option);
  interruptibly([path, what = fmt::format("{} {}", option, path.string()), inputs, sink] {
    Place place;
    try {
      place = place_of(path);
    } catch (const std::system_error& error) {
      bad_input("{}: {}", what, error.code().message());
    }
    if (place.kind != Place::Kind::file && (!place.is_stream() || sink == Sink::file))
      bad_input("{}: is {}, expected a file name", what, place.noun());
    if (place.kind == Place::Kind::descriptor) {
      const int flags = ::fcntl(place.descriptor, F_GETFL);
      if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) bad_input("{}: is not open for writing", what);
      struct stat status {};
      if (::fstat(place.descriptor, &status) == 0) require_no_input(status, place, inputs, what);
      return;
    }
    if (place.is_stream()) {
      if (::access(place.path.c_str(), W_OK) != 0) bad_input("{}: {}", what, std::strerror(errno));
      return;
    }
    require_no_input(status_of(place.path), place, inputs, what);
    if (place.write_protected)
      bad_input("{}: is write-protected, expected a file that may be replaced", what);
    const fs::path folder = folder_of(place.path);
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) bad_input("{}: folder {} does not exist", what, folder.string());
    // access(2) lets root through even on some read-only mounts; creating a file does not.
    const fs::path probe = temporary_path(place.path);
    const Descriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.number() < 0)
      bad_input("{}: folder {} is not writable: {}", what, folder.string(), std::strerror(errno));
    fs::remove(probe, ignored);
  });
}

std::string sha256_of_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return sha256(read_file(path));
  Sha256 hash;
  read_pieces(path, [&](std::string_view piece) { hash.update(piece); });
  return hash.hex();
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace lrid
