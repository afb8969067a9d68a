#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lrid::data {

/// Pixels of an image or of what a network gets.
struct ImageShape {
  std::int64_t height = 0, width = 0, channels = 0;
  [[nodiscard]] std::int64_t values() const { return height * width * channels; }
  bool operator==(const ImageShape&) const = default;
};

/// A decoded image: bytes [height, width, channels], row after row, channels innermost; 1 channel (grey) or
/// 3 (red, green, blue).
struct Image {
  ImageShape shape;
  std::vector<std::uint8_t> bytes;
};

/// Decodes a JPEG or PNG file's contents; which of the two, its first bytes say. `name` stands for the file
/// in messages.
///
/// JPEG: libjpeg-turbo's accurate integer DCT and smooth chroma upsampling, the same bytes on every machine;
/// CMYK and YCCK become RGB. PNG: palettes are looked up, 16 bits become 8, an alpha channel is dropped.
/// Neither colour profiles nor Exif orientation are applied (TensorFlow and PyTorch do not either).
///
/// InputError naming the file for anything else, for truncated or corrupt data, even where the decoder could
/// go on with invented pixels, and for more than 2^27 pixels.
Image decode_image(std::string_view contents, const std::string& name);

/// A rectangle of an image's pixels.
struct Region {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
  bool operator==(const Region&) const = default;
};

/// Which part of an image is wanted, once its size is known.
struct RegionRequest {
  std::function<Region(std::int64_t height, std::int64_t width)> choose;
  /// A JPEG may be decoded at half, a quarter or an eighth of its size where the region then still has at
  /// least so many pixels a side (faster, other bytes); 0: never.
  std::int64_t scale_down_to = 0;
};

/// A region of an image, in RGB: the bytes that decode_image and as_rgb have there. Of a JPEG the other
/// pixels are not computed, so damage behind the region stays unseen.
Image decode_region(std::string_view contents, const std::string& name, const RegionRequest& request);

/// The region's pixels.
Image cut(const Image& image, const Region& region);

/// Reads and decodes a file.
Image read_image(const std::filesystem::path& path);

/// A grey image with its channel copied three times; a colour image as it is.
Image as_rgb(Image image);

/// A region resampled to height × width: a triangle filter whose support grows with the reduction, so that
/// fine detail is averaged rather than aliased (bilinear where the image is enlarged).
Image resample(const Image& image, const Region& region, std::int64_t height, std::int64_t width);

/// The central square whose side is the image's shorter side, resampled to `size` × `size`. An image of that
/// size stays as it is.
Image resize_to_square(const Image& image, std::int64_t size);

/// Whether the file's extension says JPEG or PNG (.jpg, .jpeg, .png, in any case).
bool has_image_extension(const std::filesystem::path& path);

}  // namespace lrid::data
