#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/data/open_images.hpp>
#include <lrid/data/pack.hpp>
#include <lrid/data/parallel.hpp>

#include "codecs.hpp"
#include "pack_format.hpp"

namespace lrid::data {

namespace fs = std::filesystem;
using namespace pack_format;  // NOLINT: its own file

namespace {

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
      std::vector<std::string> bytes(to_size(std::min(chunk, count - begin)));
      parallel_for(std::ssize(bytes), threads, [&](std::int64_t i) {
        check_interrupt();
        bytes[to_size(i)] = packed(*source, begin + i, options);
      });
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::int64_t image = begin + to_index(i);
        entries.push_back({place, bytes[i].size(), hash_of(bytes[i]),
                           static_cast<std::uint32_t>(source->list().labels[to_size(image)]),
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

}  // namespace lrid::data
