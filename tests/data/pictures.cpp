#include "pictures.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <jpeglib.h>
#include <png.h>

#include <lrid/core/random.hpp>

namespace lrid::testing {

using data::Image;
using data::ImageDataset;
using data::ImageShape;

Image random_image(ImageShape shape, std::uint64_t seed) {
  Image image{shape, {}};
  Stream random(Key(seed, "test image"));
  for (std::int64_t i = 0; i < shape.values(); ++i)
    image.bytes.push_back(static_cast<std::uint8_t>(random.below(256)));
  return image;
}

Image smooth_image(ImageShape shape) {
  Image image{shape, {}};
  for (std::int64_t y = 0; y < shape.height; ++y)
    for (std::int64_t x = 0; x < shape.width; ++x)
      for (std::int64_t c = 0; c < shape.channels; ++c)
        image.bytes.push_back(static_cast<std::uint8_t>(40 + 3 * y + 2 * x + 10 * c));
  return image;
}

std::string encode_jpeg(const Image& image, int quality, const JpegKind& kind) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(image.shape.width);
  info.image_height = static_cast<JDIMENSION>(image.shape.height);
  info.input_components = static_cast<int>(image.shape.channels);
  info.in_color_space = image.shape.channels == 1   ? JCS_GRAYSCALE
                        : image.shape.channels == 3 ? JCS_RGB
                                                    : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  for (int c = 0; c < info.num_components; ++c)
    info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  info.comp_info[0].h_samp_factor = kind.across;
  info.comp_info[0].v_samp_factor = kind.down;
  if (kind.progressive) jpeg_simple_progression(&info);
  info.write_Adobe_marker = image.shape.channels == 4 ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> bytes = image.bytes;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = bytes.data() + info.next_scanline * image.shape.width * image.shape.channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string result(reinterpret_cast<const char*>(buffer), size);
  jpeg_destroy_compress(&info);
  std::free(buffer);  // NOLINT: libjpeg's
  return result;
}

namespace {

/// Rows are as PNG stores them; `add` may add chunks before the pixels.
template <class Add>
std::string write_png(std::vector<std::uint8_t> rows, const ImageShape& shape, int depth, int colour_type,
                      int interlace, const Add& add) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string result;
  png_set_write_fn(
      png, &result,
      [](png_structp writer, png_bytep bytes, std::size_t count) {
        static_cast<std::string*>(png_get_io_ptr(writer))
            ->append(reinterpret_cast<const char*>(bytes), count);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(shape.width), static_cast<png_uint_32>(shape.height),
               depth, colour_type, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  add(png, info);
  std::vector<png_bytep> starts;
  const std::size_t stride = rows.size() / static_cast<std::size_t>(shape.height);
  for (std::size_t start = 0; start < rows.size(); start += stride) starts.push_back(rows.data() + start);
  png_set_rows(png, info, starts.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return result;
}

}  // namespace

std::string encode_png(const Image& image, PngKind kind) {
  constexpr int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                           PNG_COLOR_TYPE_RGBA};
  const bool deep = kind == PngKind::deep;
  std::vector<std::uint8_t> rows;
  for (const std::uint8_t value : image.bytes) rows.insert(rows.end(), deep ? 2 : 1, value);
  return write_png(std::move(rows), image.shape, deep ? 16 : 8, types[image.shape.channels - 1],
                   kind == PngKind::interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                   [](png_structp, png_infop) {});
}

std::string encode_palette_png(const Image& image) {
  return write_png(image.bytes, image.shape, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
                   [](png_structp png, png_infop info) {
                     std::vector<png_color> palette;
                     for (int v = 0; v < 256; ++v)
                       palette.push_back({static_cast<png_byte>(v), static_cast<png_byte>(255 - v), 7});
                     png_set_PLTE(png, info, palette.data(), 256);
                   });
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

ImageDataset random_dataset(std::int64_t training, std::int64_t validation, std::int64_t classes,
                            ImageShape shape) {
  ImageDataset data;
  data.name = "random";
  data.training_images = training;
  for (std::int64_t c = 0; c < classes; ++c) data.classes.push_back(fmt::format("class{:02}", c));
  for (std::int64_t i = 0; i < training + validation; ++i) {
    data.images.push_back(random_image(shape, static_cast<std::uint64_t>(i)));
    data.labels.push_back(i % classes);
  }
  return data;
}

void write_image_folder(const ImageDataset& data, const std::filesystem::path& folder) {
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto n = static_cast<std::size_t>(i);
    write_file(folder / (i < data.training_images ? "train" : "val") /
                   data.classes[static_cast<std::size_t>(data.labels[n])] / fmt::format("{:05}.png", i),
               encode_png(data.images[n]));
  }
}

void write_cifar10_batch(const ImageDataset& data, std::int64_t begin, std::int64_t end,
                         const std::filesystem::path& path) {
  std::string bytes;
  for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
    bytes += static_cast<char>(data.labels[i]);
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t p = 0; p < 1024; ++p) bytes += static_cast<char>(data.images[i].bytes[3 * p + c]);
  }
  write_file(path, bytes);
}

}  // namespace lrid::testing
