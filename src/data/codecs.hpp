#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <lrid/data/image.hpp>

namespace lrid::data {

/// Beyond this many pixels a file is taken for damaged (or hostile) rather than decoded.
constexpr std::int64_t most_pixels = std::int64_t{1} << 27;

/// The two formats behind decode_image, which says what they promise.
Image decode_jpeg(std::string_view contents, const std::string& name);
Image decode_png(std::string_view contents, const std::string& name);
Image decode_jpeg_region(std::string_view contents, const std::string& name, const RegionRequest& request);

/// A JPEG file's bytes of a grey or RGB image; chroma at half resolution. `quality` 1 … 100.
std::string encode_jpeg(const Image& image, int quality, const std::string& name);

}  // namespace lrid::data
