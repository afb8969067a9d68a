#pragma once

#include <filesystem>
#include <string>

#include <lrid/data/image_dataset.hpp>

namespace lrid::testing {

/// An image of keyed random bytes.
data::Image random_image(data::ImageShape shape, std::uint64_t seed);
/// A smooth image, which a JPEG keeps to within a few grey levels.
data::Image smooth_image(data::ImageShape shape);

/// JPEG and PNG files as bytes, made by libjpeg and libpng. JPEG: `channels` 1 grey, 3 RGB, 4 CMYK as Adobe
/// stores it (inverted). PNG: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; `deep` writes every byte v as
/// the 16-bit value 257·v.
/// Chroma is sampled once for every `across` × `down` pixels.
struct JpegKind {
  int across = 1, down = 1;
  bool progressive = false;
};
std::string encode_jpeg(const data::Image& image, int quality = 100, const JpegKind& kind = {});
enum class PngKind { plain, interlaced, deep };
std::string encode_png(const data::Image& image, PngKind kind = PngKind::plain);
/// Of a grey image: a PNG whose values are numbers of a palette with (v, 255 − v, 7) at v.
std::string encode_palette_png(const data::Image& image);

void write_file(const std::filesystem::path& path, const std::string& bytes);

/// A data set in memory with one random image after the other, classes in turn.
data::ImageDataset random_dataset(std::int64_t training, std::int64_t validation, std::int64_t classes,
                                  data::ImageShape shape);
/// Writes it as PNG files train/<class>/<number>.png and val/<class>/<number>.png.
void write_image_folder(const data::ImageDataset& data, const std::filesystem::path& folder);
/// Writes the images [begin, end) as a file of CIFAR-10's binary kind.
void write_cifar10_batch(const data::ImageDataset& data, std::int64_t begin, std::int64_t end,
                         const std::filesystem::path& path);

/// The message of the InputError that `body` throws; a test failure if it throws none.
template <class Body>
std::string input_error(const Body& body);

}  // namespace lrid::testing

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>

template <class Body>
std::string lrid::testing::input_error(const Body& body) {
  try {
    body();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no InputError";
  return "";
}
