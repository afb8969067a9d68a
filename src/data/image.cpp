#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/data/image.hpp>

#include "codecs.hpp"

namespace lrid::data {

namespace {

constexpr std::string_view jpeg_start("\xFF\xD8\xFF", 3);
constexpr std::string_view png_start("\x89PNG\r\n\x1A\n", 8);

/// Where one output pixel of a resampled line comes from.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

/// Taps that resample `length` pixels starting at `offset` of a line to `size` pixels. Pixel centres are at
/// half-integers.
std::vector<Taps> triangle_taps(std::int64_t offset, std::int64_t length, std::int64_t size) {
  const double scale = static_cast<double>(length) / static_cast<double>(size);
  const double support = std::max(1.0, scale);
  std::vector<Taps> taps(to_size(size));
  for (std::int64_t i = 0; i < size; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(centre - support - 0.5)));
    const auto last =
        std::min<std::int64_t>(length - 1, static_cast<std::int64_t>(std::floor(centre + support - 0.5)));
    Taps& tap = taps[to_size(i)];
    tap.first = offset + first;
    double sum = 0;
    std::vector<double> weights;
    for (std::int64_t j = first; j <= last; ++j) {
      weights.push_back(std::max(0.0, 1.0 - std::abs(static_cast<double>(j) + 0.5 - centre) / support));
      sum += weights.back();
    }
    for (const double weight : weights) tap.weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

/// By the file's first bytes; InputError if it is none of the two.
bool is_jpeg(std::string_view contents, const std::string& name) {
  if (contents.empty()) bad_input("{}: is empty, expected a JPEG or PNG image", name);
  if (contents.starts_with(jpeg_start)) return true;
  if (contents.starts_with(png_start)) return false;
  bad_input("{}: is neither JPEG nor PNG (by its first bytes), expected an image of one of these kinds",
            name);
}

}  // namespace

Image decode_image(std::string_view contents, const std::string& name) {
  return is_jpeg(contents, name) ? decode_jpeg(contents, name) : decode_png(contents, name);
}

Image decode_region(std::string_view contents, const std::string& name, const RegionRequest& request) {
  if (is_jpeg(contents, name)) return as_rgb(decode_jpeg_region(contents, name, request));
  const Image image = decode_png(contents, name);
  return as_rgb(cut(image, request.choose(image.shape.height, image.shape.width)));
}

Image cut(const Image& image, const Region& region) {
  Image part{{region.height, region.width, image.shape.channels}, {}};
  part.bytes.reserve(to_size(part.shape.values()));
  for (std::int64_t y = region.top; y < region.top + region.height; ++y) {
    const auto begin = image.bytes.begin() + (y * image.shape.width + region.left) * image.shape.channels;
    part.bytes.insert(part.bytes.end(), begin, begin + region.width * image.shape.channels);
  }
  return part;
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(read_file(path), path.string());
}

Image as_rgb(Image image) {
  if (image.shape.channels == 3) return image;
  Image rgb{{image.shape.height, image.shape.width, 3}, {}};
  rgb.bytes.reserve(3 * image.bytes.size());
  for (const std::uint8_t grey : image.bytes) rgb.bytes.insert(rgb.bytes.end(), 3, grey);
  return rgb;
}

Image resample(const Image& image, const Region& region, std::int64_t height, std::int64_t width) {
  const std::int64_t channels = image.shape.channels;
  const std::vector<Taps> columns = triangle_taps(region.left, region.width, width);
  const std::vector<Taps> rows = triangle_taps(region.top, region.height, height);
  const auto line = to_size(width * channels);

  // Along the rows first, into floats, then along the columns.
  std::vector<float> narrowed(to_size(image.shape.height) * line, 0.0F);
  for (std::int64_t y = region.top; y < region.top + region.height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const Taps& tap = columns[to_size(x)];
      float* out = &narrowed[to_size((y * width + x) * channels)];
      const std::uint8_t* in = &image.bytes[to_size((y * image.shape.width + tap.first) * channels)];
      for (const float weight : tap.weights)
        for (std::int64_t c = 0; c < channels; ++c) out[c] += weight * static_cast<float>(*in++);
    }

  Image result{{height, width, channels}, {}};
  result.bytes.resize(to_size(result.shape.values()));
  std::vector<float> sum(line);
  for (std::size_t y = 0; y < rows.size(); ++y) {
    std::ranges::fill(sum, 0.0F);
    const float* in = &narrowed[to_size(rows[y].first) * line];
    for (const float weight : rows[y].weights)
      for (std::size_t i = 0; i < line; ++i) sum[i] += weight * *in++;
    for (std::size_t i = 0; i < line; ++i)
      result.bytes[y * line + i] = static_cast<std::uint8_t>(std::lround(std::clamp(sum[i], 0.0F, 255.0F)));
  }
  return result;
}

Image resize_to_square(const Image& image, std::int64_t size) {
  const auto [height, width, channels] = image.shape;
  if (height == size && width == size) return image;
  const std::int64_t side = std::min(height, width);
  return resample(image, {(height - side) / 2, (width - side) / 2, side, side}, size, size);
}

bool has_image_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

}  // namespace lrid::data
