#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/tasks/pack.hpp>

#include "codecs.hpp"
#include "image_formats.hpp"
#include "parallel.hpp"

namespace lrid::tasks {

namespace fs = std::filesystem;

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are in memory");

constexpr std::string_view magic = "lrid-image-pack\n";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_size = 16 + 2 * sizeof(std::uint32_t) + 4 * sizeof(std::uint64_t);

struct Entry {
  std::uint64_t begin, size, hash;
  std::uint32_t label;
  std::string name;
};

std::uint64_t hash_of(std::string_view bytes) {
  return std::stoull(sha256(bytes).substr(0, 16), nullptr, 16);
}

class Writer {
 public:
  template <class Number>
  void number(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

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

std::string header(std::uint64_t index_begin, const std::string& index) {
  Writer writer;
  for (const char c : magic) writer.number(c);
  writer.number(version);
  writer.number(std::uint32_t{0});
  writer.number(index_begin);
  writer.number(std::uint64_t{index.size()});
  writer.number(hash_of(index));
  writer.number(hash_of(writer.bytes()));
  return writer.bytes();
}

std::string index_of(const ImageList& list, const std::vector<Entry>& entries) {
  Writer writer;
  writer.text(list.name);
  writer.number(std::uint64_t{list.classes.size()});
  for (const std::string& name : list.classes) writer.text(name);
  writer.number(std::uint64_t{entries.size()});
  writer.number(static_cast<std::uint64_t>(list.training_images));
  for (const Entry& entry : entries) {
    writer.number(entry.begin);
    writer.number(entry.size);
    writer.number(entry.hash);
    writer.number(entry.label);
    writer.text(entry.name);
  }
  return writer.bytes();
}

/// A file in memory, read only.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0)
      bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
    size_ = static_cast<std::size_t>(status.st_size);
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
      bad_input("{}: is no pack, expected a file that lrid-train --pack has made", path_);
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
    const Entry& entry = entries_[static_cast<std::size_t>(image)];
    const std::string_view bytes = file_.bytes().substr(entry.begin, entry.size);
    if (hash_of(bytes) != entry.hash) damaged(fmt::format("the checksum of {} differs", entry.name));
    return bytes;
  }
  std::string file_name(std::int64_t image) const override {
    return fmt::format("{}: {}", path_, relative_name(image));
  }
  std::string relative_name(std::int64_t image) const override {
    return entries_[static_cast<std::size_t>(image)].name;
  }
  std::int64_t bytes() const override {
    std::size_t total = 0;
    for (const Entry& entry : entries_) total += sizeof entry + entry.name.size();
    return static_cast<std::int64_t>(total);
  }

 private:
  [[noreturn]] void damaged(const std::string& how) const {
    bad_input("{}: is damaged: {}; expected a pack as lrid-train --pack has made it", path_, how);
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

/// The bytes that stand for an image in a pack.
std::string packed(const EncodedSource& source, std::int64_t image, const PackOptions& options) {
  std::string room;
  const std::string_view contents = source.contents(image, room);
  const Image decoded = decode_image(contents, source.file_name(image));
  const std::int64_t side = std::min(decoded.shape.height, decoded.shape.width);
  if (!options.short_side || side <= *options.short_side) return std::string(contents);
  const auto reduced = [&](std::int64_t length) {
    return std::max<std::int64_t>(1, (length * *options.short_side + side / 2) / side);
  };
  const Image small = resample(decoded, {0, 0, decoded.shape.height, decoded.shape.width},
                               reduced(decoded.shape.height), reduced(decoded.shape.width));
  return encode_jpeg(small, static_cast<int>(options.quality), source.file_name(image));
}

}  // namespace

void PackOptions::declare(Options& options) {
  options.add("pack.short_side", short_side, Accepts::between(1, 65500),
              "reduce images to so many pixels on the shorter side (larger ones only), as JPEG files; auto: "
              "keep all files as they are");
  options.add("pack.quality", quality, Accepts::between(1, 100), "of these JPEG files");
  options.add("data.skip_bad", skip_bad, Accepts::anything(),
              "leave out files that cannot be read, with a line in the log for each");
}

std::int64_t write_pack(const fs::path& folder, const fs::path& out, const PackOptions& options,
                        int threads) {
  const auto source = open_images(folder, options.skip_bad, threads);
  const std::int64_t count = source->list().size();
  Progress progress("packing", static_cast<double>(count), "images");
  write_atomically(out, [&](const fs::path& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    const auto write = [&](const std::string& bytes) {
      file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      if (!file) work_failed("{}: cannot write: {}", out.string(), std::strerror(errno));
    };
    write(std::string(header_size, '\0'));
    std::vector<Entry> entries;
    std::uint64_t place = header_size;
    const std::int64_t chunk = 64 * threads;
    for (std::int64_t begin = 0; begin < count; begin += chunk) {
      std::vector<std::string> bytes(static_cast<std::size_t>(std::min(chunk, count - begin)));
      parallel_for(std::ssize(bytes), threads, [&](std::int64_t i) {
        check_interrupt();
        bytes[static_cast<std::size_t>(i)] = packed(*source, begin + i, options);
      });
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::int64_t image = begin + static_cast<std::int64_t>(i);
        entries.push_back({place, bytes[i].size(), hash_of(bytes[i]),
                           static_cast<std::uint32_t>(source->list().labels[static_cast<std::size_t>(image)]),
                           source->relative_name(image)});
        write(bytes[i]);
        place += bytes[i].size();
        progress.advance();
      }
    }
    const std::string index = index_of(source->list(), entries);
    write(index);
    file.seekp(0);
    write(header(place, index));
    file.close();
    if (!file) work_failed("{}: cannot write: {}", out.string(), std::strerror(errno));
  });
  return count;
}

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

}  // namespace lrid::tasks
