#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <lrid/core/options.hpp>

namespace lrid::data {

/// How images are packed: `[pack]`.
struct PackOptions {
  std::optional<std::int64_t> short_side{};  ///< reduce larger images to it; without: files as they are
  std::int64_t quality = 95;                 ///< of the JPEG files that reduced images become
  bool skip_bad = false;                     ///< data.skip_bad
  void declare(Options& options);
};

/// Writes the images of a folder (open_images.hpp) into one file that is read by memory map,
/// so that hundreds of jobs do not open a million files. Every image is decoded on the way: a pack holds none
/// that cannot be read. Images that are not reduced keep their bytes, so that training from a pack of these
/// gives the bits that the folder gives. Returns the number of images.
///
/// The file, in little-endian order:
///
///     "lrid-image-pack\n" version(u32 = 1) 0(u32) index_begin(u64) index_size(u64) hash of index(u64)
///     hash of all before(u64)
///     the files' bytes, one after the other
///     index: name, number of classes(u64), classes, number of images(u64), training images(u64), then for
///     each image begin(u64) size(u64) hash of its bytes(u64) class(u32) relative file name
///
/// where text is its length(u32) and UTF-8 bytes, and a hash the first 8 bytes of SHA-256.
std::int64_t write_pack(const std::filesystem::path& folder, const std::filesystem::path& out,
                        const PackOptions& options, int threads);

/// Whether a file begins as one that write_pack() wrote.
bool is_pack(const std::filesystem::path& file);

}  // namespace lrid::data
