#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/random.hpp>

namespace lrid {

namespace fs = std::filesystem;

namespace {

/// fsync by path, so that it also covers files that a library wrote.
void sync(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) work_failed("{}: cannot open to sync: {}", path.string(), std::strerror(errno));
  const int result = ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  if (result != 0 && reason != EINVAL)  // EINVAL: a file system without fsync for folders
    work_failed("{}: cannot sync: {}", path.string(), std::strerror(reason));
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

constexpr std::string_view temporary_suffix = ".tmp";
std::string temporary_prefix(const fs::path& path) {
  return fmt::format(".{}.", path.filename().string());
}

/// Tells this process from all others that may write to the same folder: process numbers repeat from host to
/// host.
std::uint64_t process_number() {
  static const std::uint64_t number = system_bits();
  return number;
}

/// Writes all bytes to a newly created file; `path` is what messages name.
void write_to(int descriptor, std::string_view bytes, const fs::path& path) {
  std::size_t done = 0;
  int reason = 0;
  while (done < bytes.size() && reason == 0) {
    const ssize_t written = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (written >= 0)
      done += static_cast<std::size_t>(written);
    else if (errno != EINTR)
      reason = errno;
  }
  if (::close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason != 0)
    work_failed("{}: cannot write {} bytes: {}", path.string(), bytes.size(), std::strerror(reason));
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
  const fs::path temporary = temporary_path(path);
  RemoveOnExit remove{temporary};
  write(temporary);
  sync(temporary);
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) work_failed("{}: cannot rename into place: {}", path.string(), error.message());
  remove.path.clear();
  sync(folder_of(path));
}

void remove_temporaries_of(const std::vector<fs::path>& paths) {
  if (paths.empty()) return;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_of(paths.front()), ignored)) {
    const std::string name = entry.path().filename().string();
    for (const fs::path& path : paths) {
      const std::string prefix = temporary_prefix(path);
      if (!name.starts_with(prefix) || !name.ends_with(temporary_suffix) ||
          name.size() <= prefix.size() + temporary_suffix.size())
        continue;
      // Only what is exactly ours: a process number between the two.
      const std::string middle =
          name.substr(prefix.size(), name.size() - prefix.size() - temporary_suffix.size());
      if (middle.find_first_not_of("0123456789") == std::string::npos) fs::remove_all(entry.path(), ignored);
    }
  }
}

void write_atomically(const fs::path& path, std::string_view bytes) {
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
  if (fs::is_directory(path, ignored)) bad_input("{}: is a folder, expected a file", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) bad_input("{}: reading failed: {}", path.string(), std::strerror(errno));
  return std::move(bytes).str();
}

void require_writable(const fs::path& path, std::string_view option) {
  std::error_code ignored;
  if (path.empty()) bad_input("{}: is empty, expected a path", option);
  if (fs::is_directory(path, ignored))
    bad_input("{} {}: is a folder, expected a file name", option, path.string());
  const fs::path folder = folder_of(path);
  if (!fs::is_directory(folder, ignored))
    bad_input("{} {}: folder {} does not exist", option, path.string(), folder.string());
  // access(2) says yes to root even on read-only mounts of some file systems; an exclusive create does not
  // lie.
  const fs::path probe = temporary_path(path);
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0)
    bad_input("{} {}: folder {} is not writable: {}", option, path.string(), folder.string(),
              std::strerror(errno));
  ::close(descriptor);
  fs::remove(probe, ignored);
}

std::string sha256_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update({buffer.data(), static_cast<std::size_t>(file.gcount())});
  }
  return hash.hex();
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace lrid
