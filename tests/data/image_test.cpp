#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/random.hpp>
#include <lrid/data/image.hpp>

#include "pictures.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

using ::testing::AllOf;
using testing::encode_jpeg;
using testing::encode_palette_png;
using testing::encode_png;
using ::testing::HasSubstr;
using testing::input_error;
using testing::PngKind;
using testing::random_image;
using testing::smooth_image;

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.shape, b.shape);
  int largest = 0;
  for (std::size_t i = 0; i < std::min(a.bytes.size(), b.bytes.size()); ++i)
    largest = std::max(largest, std::abs(a.bytes[i] - b.bytes[i]));
  return largest;
}

TEST(Png, EveryKindKeepsItsBytes) {
  for (const std::int64_t channels : {1, 3})
    for (const auto kind : {PngKind::plain, PngKind::interlaced, PngKind::deep}) {
      const Image image = random_image({7, 9, channels}, 1);
      const Image decoded = decode_image(encode_png(image, kind), "a.png");
      EXPECT_EQ(decoded.shape, image.shape);
      EXPECT_EQ(decoded.bytes, image.bytes);
    }
}

TEST(Png, PalettesAreLookedUp) {
  const Image image = random_image({7, 9, 1}, 1);
  const Image decoded = decode_image(encode_palette_png(image), "a.png");
  ASSERT_EQ(decoded.shape, (ImageShape{7, 9, 3}));
  for (std::size_t i = 0; i < 63; ++i) {
    EXPECT_EQ(decoded.bytes[3 * i], image.bytes[i]);
    EXPECT_EQ(decoded.bytes[3 * i + 1], 255 - image.bytes[i]);
    EXPECT_EQ(decoded.bytes[3 * i + 2], 7);
  }
}

TEST(Png, AlphaIsDropped) {
  for (const std::int64_t channels : {2, 4}) {
    const Image image = random_image({5, 6, channels}, 2);
    const Image decoded = decode_image(encode_png(image), "a.png");
    ASSERT_EQ(decoded.shape, (ImageShape{5, 6, channels - 1}));
    for (std::int64_t i = 0; i < 30; ++i)
      for (std::int64_t c = 0; c < channels - 1; ++c)
        EXPECT_EQ(decoded.bytes[static_cast<std::size_t>(i * (channels - 1) + c)],
                  image.bytes[static_cast<std::size_t>(i * channels + c)]);
  }
}

TEST(Jpeg, GreyAndColourComeBackWithinQuantisation) {
  for (const std::int64_t channels : {1, 3}) {
    const Image image = smooth_image({16, 24, channels});
    EXPECT_LE(largest_difference(decode_image(encode_jpeg(image), "a.jpg"), image), 3);
  }
}

TEST(Jpeg, CmykBecomesRgb) {
  // Adobe stores 255 − ink. Without black (stored 255), red light is what cyan ink leaves.
  Image cmyk = smooth_image({8, 8, 4});
  for (std::size_t i = 3; i < cmyk.bytes.size(); i += 4) cmyk.bytes[i] = i < 128 ? 255 : 128;
  const Image rgb = decode_image(encode_jpeg(cmyk), "a.jpg");
  ASSERT_EQ(rgb.shape, (ImageShape{8, 8, 3}));
  for (std::size_t i = 0; i < 64; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(rgb.bytes[3 * i + c], cmyk.bytes[4 * i + c] * cmyk.bytes[4 * i + 3] / 255.0, 4);
}

TEST(Jpeg, EveryTruncationIsAnError) {
  const std::string whole = encode_jpeg(random_image({16, 16, 3}, 3), 75);
  for (std::size_t length = 1; length < whole.size(); length += 7)
    EXPECT_THAT(input_error([&] { decode_image(whole.substr(0, length), "cut.jpg"); }),
                HasSubstr("cut.jpg: "))
        << length;
  // Only the end marker is missing: libjpeg would go on with a warning.
  EXPECT_THAT(input_error([&] { decode_image(whole.substr(0, whole.size() - 2), "cut.jpg"); }),
              AllOf(HasSubstr("cut.jpg: broken JPEG"), HasSubstr("Premature end"), HasSubstr("expected")));
}

TEST(Jpeg, ExtraneousBytesAreHarmless) {
  // "extraneous bytes before marker", as some files of ImageNet have: no pixel is touched by them.
  const Image image = smooth_image({16, 16, 3});
  std::string bytes = encode_jpeg(image);
  const Image clean = decode_image(bytes, "a.jpg");
  bytes.insert(20, "xyz");  // between the first segment (JFIF, 18 bytes after the start marker) and the next
  EXPECT_EQ(decode_image(bytes, "a.jpg").bytes, clean.bytes);
}

TEST(Png, EveryTruncationIsAnError) {
  const std::string whole = encode_png(random_image({16, 16, 3}, 4));
  for (std::size_t length = 1; length < whole.size(); length += 7)
    EXPECT_THAT(input_error([&] { decode_image(whole.substr(0, length), "cut.png"); }),
                HasSubstr("cut.png: "))
        << length;
  EXPECT_THAT(input_error([&] { decode_image(whole.substr(0, whole.size() - 1), "cut.png"); }),
              HasSubstr("broken PNG: ends early"));
}

TEST(Png, ADamagedByteIsAnError) {
  std::string bytes = encode_png(random_image({16, 16, 3}, 4));
  bytes[bytes.size() / 2] ^= 0x10;
  EXPECT_THAT(input_error([&] { decode_image(bytes, "a.png"); }), HasSubstr("a.png: broken PNG"));
}

// Whatever bytes are changed: an image or an InputError, nothing else.
TEST(Decoding, SurvivesRandomDamage) {
  const std::string files[] = {encode_jpeg(random_image({16, 16, 3}, 5), 75),
                               encode_png(random_image({16, 16, 3}, 5)),
                               encode_jpeg(random_image({8, 8, 4}, 5), 75)};
  Stream random(Key(0, "damage"));
  for (int trial = 0; trial < 3000; ++trial) {
    std::string bytes = files[trial % 3];
    for (int i = 0; i < 1 + trial % 5; ++i)
      bytes[4 + random.below(bytes.size() - 4)] = static_cast<char>(random.below(256));
    try {
      const Image image = decode_image(bytes, "damaged");
      EXPECT_EQ(std::ssize(image.bytes), image.shape.values());
    } catch (const InputError&) {
    }
  }
}

TEST(Decoding, OtherContentsAreNamed) {
  EXPECT_THAT(input_error([] { decode_image("", "empty.jpg"); }), HasSubstr("empty.jpg: is empty"));
  EXPECT_THAT(input_error([] { decode_image("GIF89a...", "a.jpg"); }),
              AllOf(HasSubstr("a.jpg"), HasSubstr("neither JPEG nor PNG")));
  const testing::TemporaryFolder folder;
  EXPECT_THAT(input_error([&] { read_image(folder / "none.png"); }), HasSubstr("none.png"));
}

TEST(Decoding, TheFirstBytesDecideNotTheName) {
  const Image image = random_image({4, 4, 3}, 6);
  EXPECT_EQ(decode_image(encode_png(image), "really-a-png.jpg").bytes, image.bytes);
}

TEST(Rgb, GreyIsCopiedThreeTimes) {
  EXPECT_EQ(as_rgb({{1, 2, 1}, {7, 200}}).bytes, (std::vector<std::uint8_t>{7, 7, 7, 200, 200, 200}));
  EXPECT_EQ(as_rgb({{1, 1, 3}, {1, 2, 3}}).bytes, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST(Resize, TheSameSizeIsTheSameImage) {
  const Image image = random_image({9, 9, 3}, 7);
  EXPECT_EQ(resize_to_square(image, 9).bytes, image.bytes);
}

TEST(Resize, CutsTheCentralSquare) {
  // 4 × 8, left and right quarters black: at its own height nothing is resampled, only cut.
  Image image{{4, 8, 1}, std::vector<std::uint8_t>(32, 0)};
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t x = 2; x < 6; ++x) image.bytes[y * 8 + x] = static_cast<std::uint8_t>(100 + 10 * y + x);
  const Image square = resize_to_square(image, 4);
  ASSERT_EQ(square.shape, (ImageShape{4, 4, 1}));
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t x = 0; x < 4; ++x) EXPECT_EQ(square.bytes[y * 4 + x], image.bytes[y * 8 + x + 2]);
}

TEST(Resize, HalvingWeighsByATriangle) {
  // Weights of pixels 0, 1, 2 around the centre 1 of the first: 0.75, 0.75, 0.25, over their sum 1.75.
  Image image{{4, 4, 1}, {}};
  for (int y = 0; y < 4; ++y)
    for (const int value : {0, 70, 140, 210}) image.bytes.push_back(static_cast<std::uint8_t>(value));
  const Image half = resize_to_square(image, 2);
  EXPECT_EQ(half.bytes[0], 50);   // (70·0.75 + 140·0.25) / 1.75
  EXPECT_EQ(half.bytes[1], 160);  // (210·0.75 + 140·0.75 + 70·0.25) / 1.75
  EXPECT_EQ(half.bytes[0], half.bytes[2]);
}

TEST(Resize, DoublingIsBilinear) {
  const Image image{{2, 2, 1}, {0, 100, 0, 100}};
  const Image twice = resize_to_square(image, 4);
  EXPECT_EQ(std::vector<std::uint8_t>(twice.bytes.begin(), twice.bytes.begin() + 4),
            (std::vector<std::uint8_t>{0, 25, 75, 100}));
}

TEST(Resize, KeepsAConstantImage) {
  for (const std::int64_t size : {3, 7, 16, 40}) {
    const Image image{{15, 20, 3}, std::vector<std::uint8_t>(15 * 20 * 3, 137)};
    for (const std::uint8_t value : resize_to_square(image, size).bytes) EXPECT_EQ(value, 137);
  }
}

// --- regions ---

Image region_of(const std::string& file, const Region& region, std::int64_t scale_down_to = 0) {
  return decode_region(file, "file", {[&](std::int64_t, std::int64_t) { return region; }, scale_down_to});
}

TEST(DecodeRegion, HasTheBytesOfTheWholeImage) {
  const std::vector<testing::JpegKind> kinds{{1, 1}, {2, 1},       {2, 2},      {1, 2},
                                             {4, 1}, {2, 2, true}, {1, 1, true}};
  Stream random(Key(5));
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  for (const testing::JpegKind& kind : kinds)
    for (const ImageShape shape :
         {ImageShape{97, 131, 3}, {64, 64, 3}, {33, 20, 3}, {50, 70, 1}, {40, 60, 4}}) {
      if (shape.channels != 3 && kind.across * kind.down > 1) continue;
      const std::string file = testing::encode_jpeg(random_image(shape, 3), 80, kind);
      const Image whole = as_rgb(decode_image(file, "file"));
      for (int i = 0; i < 40; ++i) {
        Region region{below(shape.height), below(shape.width), 0, 0};
        region.height = 1 + below(shape.height - region.top);
        region.width = 1 + below(shape.width - region.left);
        ASSERT_EQ(region_of(file, region).bytes, cut(whole, region).bytes)
            << shape.height << "x" << shape.width << "x" << shape.channels << " sampled " << kind.across
            << "x" << kind.down << ": " << region.top << " " << region.left << " " << region.height << " "
            << region.width;
      }
      const Region all{0, 0, shape.height, shape.width};
      EXPECT_EQ(region_of(file, all).bytes, whole.bytes);
    }
  const std::string png = testing::encode_png(random_image({9, 7, 1}, 1));
  EXPECT_EQ(region_of(png, {2, 1, 4, 5}).bytes, as_rgb(cut(decode_image(png, "png"), {2, 1, 4, 5})).bytes);
}

TEST(DecodeRegion, MayBeReduced) {
  const Image image = testing::smooth_image({60, 84, 3});
  const std::string file = testing::encode_jpeg(image, 100, {2, 2});
  for (const auto& [region, least, reduction] : {std::tuple(Region{0, 0, 60, 84}, 31, 1),
                                                 {Region{0, 0, 60, 84}, 30, 2},
                                                 {Region{8, 12, 44, 60}, 11, 4}}) {
    const Image small = region_of(file, region, least);
    EXPECT_EQ(small.shape, (ImageShape{region.height / reduction, region.width / reduction, 3}));
    for (std::int64_t y = 1; y + 1 < small.shape.height; ++y)
      for (std::int64_t x = 1; x + 1 < small.shape.width; ++x) {
        // The mean of reduction² pixels of a plane lies at their middle.
        const double middle = (reduction - 1) / 2.0;
        const double expected = 40 + 3 * (static_cast<double>(region.top + y * reduction) + middle) +
                                2 * (static_cast<double>(region.left + x * reduction) + middle);
        if (expected > 230) continue;
        ASSERT_NEAR(small.bytes[static_cast<std::size_t>((y * small.shape.width + x) * 3)], expected, 6);
      }
  }
}

TEST(DecodeRegion, BrokenFilesAreNamed) {
  const std::string file = testing::encode_jpeg(random_image({40, 40, 3}, 3), 90);
  EXPECT_THAT(input_error([&] {
                region_of(file.substr(0, file.size() / 2), {30, 0, 10, 10});
              }),
              HasSubstr("file: broken JPEG"));
  EXPECT_THAT(input_error([&] {
                region_of(file.substr(0, 40), {0, 0, 1, 1});
              }),
              HasSubstr("file: broken JPEG"));
  EXPECT_THAT(input_error([&] { region_of("", {0, 0, 1, 1}); }), HasSubstr("file: is empty"));
}

}  // namespace
}  // namespace lrid::data
