#include "pack_source.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>

#include "pack_format.hpp"

namespace lrid::data {

namespace fs = std::filesystem;
using namespace pack_format;  // NOLINT: its own file

namespace {

class Reader {
 public:
  Reader(std::string_view bytes, std::string file) : rest_(bytes), file_(std::move(file)) {}
  template <class Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }

 private:
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) bad_input("{}: its index ends early, expected a whole pack", file_);
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
  std::string file_;
};

/// A file in memory, read only.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path) {
    require_input_file(path, "a pack, or a folder of images");
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0)
      bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
    size_ = to_size(status.st_size);
    if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    const int reason = errno;
    ::close(descriptor);
    if (data_ == MAP_FAILED)
      bad_input("{}: cannot map into memory: {}", path.string(), std::strerror(reason));
    if (size_ > 0) ::madvise(data_, size_, MADV_RANDOM);
  }
  ~MappedFile() {
    if (size_ > 0) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

class PackSource : public EncodedSource {
 public:
  explicit PackSource(const fs::path& path) : EncodedSource(ImageList()), path_(path.string()), file_(path) {
    const std::string_view all = file_.bytes();
    if (all.size() < header_size || !all.starts_with(magic))
      bad_input("{}: is no pack, expected a file that lrid-train pack has made", path_);
    Reader head(all.substr(magic.size(), header_size - magic.size()), path_);
    const auto found_version = head.number<std::uint32_t>();
    head.number<std::uint32_t>();
    const auto begin = head.number<std::uint64_t>(), size = head.number<std::uint64_t>(),
               index_hash = head.number<std::uint64_t>();
    if (head.number<std::uint64_t>() != hash_of(all.substr(0, header_size - sizeof(std::uint64_t))))
      damaged("the checksum of its header differs");
    if (found_version != version)
      bad_input("{}: is a pack of version {}, expected version {}", path_, found_version, version);
    if (begin > all.size() || all.size() - begin != size)
      damaged(fmt::format("{} bytes where {} were written", all.size(), begin + size));
    const std::string_view index = all.substr(begin);
    if (hash_of(index) != index_hash) damaged("the checksum of its index differs");
    read_index(Reader(index, path_), begin);
  }

  std::string_view contents(std::int64_t image, std::string& /*room*/) const override {
    const Entry& entry = entries_[to_size(image)];
    const std::string_view bytes = file_.bytes().substr(entry.begin, entry.size);
    if (hash_of(bytes) != entry.hash) damaged(fmt::format("the checksum of {} differs", entry.name));
    return bytes;
  }
  std::string file_name(std::int64_t image) const override {
    return fmt::format("{}: {}", path_, relative_name(image));
  }
  std::string relative_name(std::int64_t image) const override { return entries_[to_size(image)].name; }
  std::int64_t bytes() const override {
    std::size_t total = 0;
    for (const Entry& entry : entries_) total += sizeof entry + entry.name.size();
    return static_cast<std::int64_t>(total);
  }

 private:
  [[noreturn]] void damaged(const std::string& how) const {
    bad_input("{}: is damaged: {}; expected a pack as lrid-train pack has made it", path_, how);
  }

  void read_index(Reader index, std::uint64_t data_end) {
    list_.name = index.text();
    for (auto left = index.number<std::uint64_t>(); left > 0; --left) list_.classes.push_back(index.text());
    auto left = index.number<std::uint64_t>();
    list_.training_images = static_cast<std::int64_t>(index.number<std::uint64_t>());
    for (; left > 0; --left) {
      Entry entry{};
      entry.begin = index.number<std::uint64_t>();
      entry.size = index.number<std::uint64_t>();
      entry.hash = index.number<std::uint64_t>();
      entry.label = index.number<std::uint32_t>();
      entry.name = index.text();
      if (entry.begin > data_end || entry.size > data_end - entry.begin ||
          entry.label >= list_.classes.size())
        damaged(fmt::format("its index is wrong about {}", entry.name));
      list_.labels.push_back(entry.label);
      entries_.push_back(std::move(entry));
    }
    if (list_.training_images < 0 || list_.training_images > list_.size())
      damaged("its index is wrong about the training images");
  }

  std::string path_;
  MappedFile file_;
  std::vector<Entry> entries_;
};

}  // namespace

bool is_pack(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  std::array<char, magic.size()> start{};
  std::ifstream(file, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == magic;
}

std::shared_ptr<const EncodedSource> open_pack(const fs::path& file) {
  return std::make_shared<const PackSource>(file);
}

}  // namespace lrid::data
