#include "soundness.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include <hdf5.h>
#include <unistd.h>
#include <zlib.h>

#include <lrid/core/error.hpp>

#include "handle.hpp"

namespace lrid::io::hdf5 {

namespace {

using Bytes = std::vector<unsigned char>;

/// Most stored bytes that a block's check inflates, beyond the first chunk.
constexpr std::uint64_t most_inflated = 1 << 20;

/// The bytes of an open file, in HDF5's addresses.
class RawFile {
 public:
  explicit RawFile(hid_t object) : file_(file_handle(H5Iget_file_id(object))) {
    const Handle access = properties_handle(H5Fget_access_plist(file_.id()));
    void* descriptor = nullptr;
    if (H5Pget_driver(access.id()) == H5FD_SEC2 &&
        H5Fget_vfd_handle(file_.id(), H5P_DEFAULT, &descriptor) >= 0)
      descriptor_ = *static_cast<int*>(descriptor);
    const Handle creation = properties_handle(H5Fget_create_plist(file_.id()));
    H5Pget_userblock(creation.id(), &base_);
    H5Pget_sizes(creation.id(), &address_bytes_, &length_bytes_);
    H5Fget_filesize(file_.id(), &size_);
  }

  [[nodiscard]] bool in_memory() const { return descriptor_ < 0; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::size_t address_bytes() const { return address_bytes_; }
  [[nodiscard]] std::size_t length_bytes() const { return length_bytes_; }
  /// A string of variable length is stored as its length, the address of a heap, an index in it.
  [[nodiscard]] std::size_t reference_bytes() const { return 4 + address_bytes_ + 4; }

  /// Nothing where the file has no such bytes.
  [[nodiscard]] std::optional<Bytes> read(std::uint64_t address, std::uint64_t count) const {
    if (base_ > size_ || address > size_ - base_ || count > size_ - base_ - address) return std::nullopt;
    Bytes bytes(count);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t now = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(base_ + address + done));
      if (now <= 0) return std::nullopt;
      done += static_cast<std::size_t>(now);
    }
    return bytes;
  }

 private:
  Handle file_;
  int descriptor_ = -1;
  hsize_t base_ = 0, size_ = 0;
  std::size_t address_bytes_ = 0, length_bytes_ = 0;
};

std::uint64_t little_endian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = std::min<std::size_t>(count, 8); i > 0; --i) value = value << 8 | bytes[i - 1];
  return value;
}

/// Reads bytes from front to back; gives none, and is no longer sound, once they run out.
class Reader {
 public:
  explicit Reader(std::span<const unsigned char> bytes) : left_(bytes) {}

  [[nodiscard]] bool sound() const { return sound_; }
  std::span<const unsigned char> take(std::uint64_t count) {
    if (count > left_.size()) {
      sound_ = false;
      left_ = {};
    }
    const auto taken = left_.first(sound_ ? count : 0);
    left_ = left_.subspan(taken.size());
    return taken;
  }
  std::uint64_t number(std::size_t bytes) {
    const auto taken = take(bytes);
    return little_endian(taken.data(), taken.size());
  }
  /// A string with its end, filled up to a multiple of `step` bytes.
  void text(std::size_t step) {
    const auto end = std::ranges::find(left_, 0);
    const auto length = static_cast<std::uint64_t>(end - left_.begin()) + 1;  // too long without an end
    take((length + step - 1) / step * step);
  }

 private:
  std::span<const unsigned char> left_;
  bool sound_ = true;
};

/// A datatype message, and those of what it is made of. Returns the bytes of an element.
std::uint64_t read_type(Reader& in, int depth = 0) {
  enum Class { integer, real, time, string, bits, opaque, compound, reference, enumeration, sequence, array };
  const std::uint64_t class_and_version = in.number(1), flags = in.number(3), size = in.number(4);
  const std::uint64_t version = class_and_version >> 4;
  const std::uint64_t type_class = class_and_version & 15U;
  // A number has at most 2^16 bits; libhdf5 converts it in memory of its size.
  const bool huge = (type_class == integer || type_class == real) && size > (1U << 16);
  if (depth > 16 || huge) in.take(std::numeric_limits<std::uint64_t>::max());
  const std::size_t name_step = version < 3 ? 8 : 1;
  std::size_t offset_bytes = 4;
  if (version >= 3)
    for (offset_bytes = 1; offset_bytes < 4 && size >> (8 * offset_bytes) != 0;) ++offset_bytes;
  switch (type_class) {
    case integer:
    case bits:
      in.take(4);
      break;
    case real:
      in.take(12);
      break;
    case time:
      in.take(2);
      break;
    case opaque:
      in.take(flags & 0xFFU);
      break;
    case compound:
      for (std::uint64_t member = 0; member < (flags & 0xFFFFU) && in.sound(); ++member) {
        in.text(name_step);
        in.take(version == 1 ? 4 + 28 : offset_bytes);
        read_type(in, depth + 1);
      }
      break;
    case enumeration: {
      read_type(in, depth + 1);
      for (std::uint64_t member = 0; member < (flags & 0xFFFFU) && in.sound(); ++member) in.text(name_step);
      in.take((flags & 0xFFFFU) * size);
      break;
    }
    case sequence:
      read_type(in, depth + 1);
      break;
    case array: {
      const std::uint64_t rank = in.number(1);
      in.take(version < 3 ? 3 + 8 * rank : 4 * rank);
      read_type(in, depth + 1);
      break;
    }
    default:
      break;
  }
  return size;
}

/// The product, or the largest number if it is larger.
std::uint64_t saturated_product(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return b != 0 && a > most / b ? most : a * b;
}

/// A dataspace message. Returns the number of elements.
std::uint64_t read_space(Reader& in, std::size_t length_bytes) {
  const std::uint64_t version = in.number(1), rank = in.number(1), flags = in.number(1);
  const std::uint64_t kind = in.number(1);  // from version 2 on
  if (version == 1) in.take(4);
  std::uint64_t elements = 1;
  for (std::uint64_t i = 0; i < rank; ++i) elements = saturated_product(elements, in.number(length_bytes));
  if ((flags & 1U) != 0) in.take(rank * length_bytes);
  constexpr std::uint64_t null = 2;
  return version > 1 && kind == null ? 0 : elements;
}

/// An attribute message, whose data must lie in it: libhdf5 1.10 crashes on closing what it could not decode.
bool is_sound_attribute(std::span<const unsigned char> bytes, std::size_t length_bytes) {
  Reader in(bytes);
  const std::uint64_t version = in.number(1), flags = in.number(1);
  const std::uint64_t name = in.number(2), type = in.number(2), space = in.number(2);
  if (version >= 3) in.take(1);
  const std::uint64_t step = version == 1 ? 8 : 1;
  const auto field = [&](std::uint64_t size) { return in.take((size + step - 1) / step * step); };
  Reader name_in(field(name)), type_in(field(type)), space_in(field(space));
  name_in.text(1);
  const bool own_type = version == 1 || (flags & 1U) == 0, own_space = version == 1 || (flags & 2U) == 0;
  const std::uint64_t element_bytes = own_type ? read_type(type_in) : 0;
  const std::uint64_t elements = own_space ? read_space(space_in, length_bytes) : 0;
  in.take(saturated_product(element_bytes, elements));
  return in.sound() && name_in.sound() && type_in.sound() && space_in.sound();
}

bool is_sound_message(std::uint64_t type, std::span<const unsigned char> bytes, std::size_t length_bytes) {
  constexpr std::uint64_t space = 1, datatype = 3, attribute = 12;
  if (type == attribute) return is_sound_attribute(bytes, length_bytes);
  Reader in(bytes);
  if (type == space) read_space(in, length_bytes);
  if (type == datatype) read_type(in);
  return in.sound();
}

/// Sizes of a global heap's objects by index.
using Heap = std::map<std::uint64_t, std::uint64_t>;

std::optional<Heap> read_heap(const RawFile& file, std::uint64_t address) {
  // "GCOL", version, 3 reserved, size of all; then (index, count, 4 reserved, size, bytes up to a multiple
  // of 8) for each object, index 0 being free space, whose size includes this header.
  const std::size_t header = 8 + file.length_bytes(), object_header = 8 + file.length_bytes();
  const std::optional<Bytes> start = file.read(address, header);
  constexpr std::array<unsigned char, 5> signature{'G', 'C', 'O', 'L', 1};
  if (!start || !std::equal(signature.begin(), signature.end(), start->begin())) return std::nullopt;
  const std::optional<Bytes> bytes =
      file.read(address, little_endian(start->data() + 8, file.length_bytes()));
  if (!bytes || bytes->size() < header) return std::nullopt;

  Heap heap;
  for (std::size_t at = header; at + object_header <= bytes->size();) {
    const std::uint64_t index = little_endian(bytes->data() + at, 2);
    const std::uint64_t size = little_endian(bytes->data() + at + 8, file.length_bytes());
    const std::uint64_t left = bytes->size() - at;
    if (size > left) return std::nullopt;
    const std::uint64_t used = index == 0 ? size : object_header + (size + 7) / 8 * 8;
    if (used < object_header || used > left || !heap.emplace(index, size).second) return std::nullopt;
    at += used;
  }
  return heap;
}

/// A memory type of which each element is a reference as the file has it. libhdf5 has no conversion from
/// strings to it, so it is given one that leaves the bytes as they are.
Handle reference_type(std::size_t bytes) {
  Handle type = type_handle(H5Tcreate(H5T_OPAQUE, bytes));
  static const bool registered = [&] {
    const Handle string = type_handle(H5Tcopy(H5T_C_S1));
    H5Tset_size(string.id(), H5T_VARIABLE);
    const auto keep = [](hid_t, hid_t, H5T_cdata_t* data, size_t, size_t, size_t, void*, void*,
                         hid_t) -> herr_t {
      data->need_bkg = H5T_BKG_NO;
      return 0;
    };
    return H5Tregister(H5T_PERS_SOFT, "reference", string.id(), type.id(), keep) >= 0;
  }();
  if (!registered) work_failed("HDF5 takes no conversion of ours");
  return type;
}

/// How many bytes a zlib stream holds, up to one more than expected; 0 if it is damaged.
std::uint64_t inflated_size(std::span<const unsigned char> stored, std::uint64_t expected) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return 0;
  stream.next_in = const_cast<unsigned char*>(stored.data());  // NOLINT: zlib only reads there
  stream.avail_in = static_cast<uInt>(stored.size());
  std::array<unsigned char, 1 << 15> out;
  int state = Z_OK;
  while (state == Z_OK && stream.total_out <= expected) {
    stream.next_out = out.data();
    stream.avail_out = out.size();
    state = inflate(&stream, Z_NO_FLUSH);
  }
  const std::uint64_t size = stream.total_out;
  inflateEnd(&stream);
  return state == Z_STREAM_END || size > expected ? size : 0;
}

/// How a chunk is stored: `bytes` of it, deflated or as they are, and checksums behind them.
struct Stored {
  std::uint64_t bytes;
  bool deflated = false;
  std::uint64_t behind = 0;
};

/// `left_out` has a bit for each of the dataset's filters that this chunk did not go through. Nothing for
/// other filters than those that h5py and we write: gzip, shuffle, Fletcher's checksum.
std::optional<Stored> storage_of(hid_t creation, unsigned left_out, std::uint64_t chunk_bytes) {
  constexpr std::uint64_t checksum = 4;
  Stored stored{chunk_bytes};
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    if ((left_out >> i & 1U) != 0) continue;
    unsigned flags = 0;
    std::size_t values = 0;
    switch (
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr)) {
      case H5Z_FILTER_FLETCHER32:
        (stored.deflated ? stored.behind : stored.bytes) += checksum;
        break;
      case H5Z_FILTER_SHUFFLE:
        break;
      case H5Z_FILTER_DEFLATE:
        if (stored.deflated) return std::nullopt;
        stored.deflated = true;
        break;
      default:
        return std::nullopt;
    }
  }
  return stored;
}

}  // namespace

void require_sound_header(std::int64_t object, const std::string& where, std::uint64_t address) {
  const RawFile file(object);
  if (file.in_memory()) return;
  const auto damaged = [&] { bad_input("{}: its header at byte {} is damaged", where, address); };
  const std::optional<Bytes> prefix = file.read(address, 16);
  if (!prefix) return damaged();
  if (prefix->front() != 1) return;  // has a checksum, which libhdf5 compares

  struct Block {
    std::uint64_t address, bytes;
  };
  std::vector<Block> blocks{{address + 16, little_endian(prefix->data() + 8, 4)}};
  std::uint64_t total = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    total += blocks[b].bytes;
    const std::optional<Bytes> bytes = file.read(blocks[b].address, blocks[b].bytes);
    if (!bytes || total > file.size()) return damaged();
    Reader in(*bytes);
    for (std::size_t left = bytes->size(); left >= 8;) {
      const std::uint64_t type = in.number(2), size = in.number(2), flags = in.number(1);
      in.take(3);
      const auto message = in.take(size);
      constexpr std::uint64_t continuation = 16, shared = 2;
      if (!in.sound()) return damaged();
      if (type == continuation && size >= file.address_bytes() + file.length_bytes())
        blocks.push_back({little_endian(message.data(), file.address_bytes()),
                          little_endian(message.data() + file.address_bytes(), file.length_bytes())});
      else if ((flags & shared) == 0 && !is_sound_message(type, message, file.length_bytes()))
        return damaged();
      left -= 8 + size;
    }
  }
}

void require_sound_strings(std::int64_t object, const std::string& where, std::size_t count,
                           const std::function<void(std::int64_t, void*)>& read) {
  const RawFile file(object);
  if (file.in_memory()) return;
  const std::size_t reference_bytes = file.reference_bytes();
  Bytes references(count * reference_bytes);
  read(reference_type(reference_bytes).id(), references.data());

  std::map<std::uint64_t, std::optional<Heap>> heaps;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned char* const reference = references.data() + i * reference_bytes;
    const std::uint64_t length = little_endian(reference, 4),
                        address = little_endian(reference + 4, file.address_bytes()),
                        index = little_endian(reference + 4 + file.address_bytes(), 4);
    if (address == 0 && length == 0) continue;  // no string at all
    const auto [heap, is_new] = heaps.try_emplace(address);
    if (is_new) heap->second = read_heap(file, address);
    if (!heap->second) bad_input("{}: a string lies in a damaged heap, at byte {}", where, address);
    const auto found = heap->second->find(index);
    if (index == 0 || found == heap->second->end() || found->second != length)
      bad_input("{}: a string's place is damaged: {} bytes, as number {} of the heap at byte {}", where,
                length, index, address);
    total += length;
    if (total > file.size())
      bad_input("{}: strings of more bytes than the file, {}, which must be damaged", where, file.size());
  }
}

void require_sound_chunks(std::int64_t dataset, const std::string& where, const Shape& offset,
                          const Shape& count, SoundChunks& known) {
  const Handle creation = properties_handle(H5Dget_create_plist(dataset));
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED || offset.empty()) return;
  const RawFile file(dataset);
  if (file.in_memory()) return;
  std::vector<hsize_t> extents(offset.size());
  H5Pget_chunk(creation.id(), static_cast<int>(extents.size()), extents.data());
  const Handle type = type_handle(H5Dget_type(dataset));
  Shape chunk(extents.begin(), extents.end());
  chunk.push_back(static_cast<std::int64_t>(H5Tis_variable_str(type.id()) > 0 ? file.reference_bytes()
                                                                              : H5Tget_size(type.id())));
  const auto chunk_bytes = static_cast<std::uint64_t>(element_count(chunk));
  const bool filtered = H5Pget_nfilters(creation.id()) > 0;

  std::uint64_t inflated = 0;
  const auto is_sound = [&](const Shape& at) {
    const std::vector<hsize_t> place(at.begin(), at.end());
    hsize_t bytes = 0;
    if (H5Dget_chunk_storage_size(dataset, place.data(), &bytes) < 0)
      bad_input("{}: the list of its chunks is damaged", where);
    if (bytes == 0) return true;  // never written
    if (!filtered) return bytes == chunk_bytes;
    if (bytes > file.size()) return false;
    Bytes raw(bytes);
    std::uint32_t left_out = 0;
    if (H5Dread_chunk(dataset, H5P_DEFAULT, place.data(), &left_out, raw.data()) < 0) return false;
    const std::optional<Stored> stored = storage_of(creation.id(), left_out, chunk_bytes);
    if (stored && !stored->deflated && bytes != stored->bytes) return false;
    if (!stored || !stored->deflated) return known.insert(at).second;
    if (bytes <= stored->behind) return false;
    if (inflated >= most_inflated) return true;
    inflated += bytes;
    const bool sound =
        inflated_size(std::span(raw).first(bytes - stored->behind), stored->bytes) == stored->bytes;
    if (sound) known.insert(at);
    return sound;
  };

  // Every chunk that the block touches, the last dimension fastest.
  std::vector<hsize_t> first(offset.begin(), offset.end()), end = first, at;
  for (std::size_t i = 0; i < first.size(); ++i) {
    end[i] += static_cast<hsize_t>(count[i]);
    first[i] -= first[i] % extents[i];
  }
  at = first;
  std::size_t d = 0;
  do {
    const Shape place(at.begin(), at.end());
    if (!known.contains(place) && !is_sound(place))
      bad_input("{}: the chunk at {} is damaged: it does not hold {} bytes", where, to_string(place),
                chunk_bytes);
    for (d = at.size(); d > 0; --d) {
      at[d - 1] += extents[d - 1];
      if (at[d - 1] < end[d - 1]) break;
      at[d - 1] = first[d - 1];
    }
  } while (d > 0);
}

}  // namespace lrid::io::hdf5
