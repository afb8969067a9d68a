#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/data/resize.hpp>

#include "pictures.hpp"

namespace lrid::data {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

std::vector<float> bilinear(const Image& image, std::int64_t height, std::int64_t width,
                            bool mirror = false) {
  std::vector<float> out(static_cast<std::size_t>(height * width * image.shape.channels));
  resize_bilinear(image, height, width, mirror, out.data());
  return out;
}

std::vector<float> bicubic(const Image& image, std::int64_t height, std::int64_t width, bool mirror = false) {
  std::vector<float> out(static_cast<std::size_t>(height * width * image.shape.channels));
  resize_bicubic(image, height, width, mirror, out.data());
  return out;
}

TEST(TensorFlowResize, BilinearByHand) {
  // Places 0, ½, 1, 1½: no half-pixel offset, and the last pixel is repeated.
  const Image line{{1, 2, 1}, {10, 20}};
  EXPECT_THAT(bilinear(line, 1, 4), ElementsAre(10, 15, 20, 20));
  EXPECT_THAT(bilinear(line, 1, 4, true), ElementsAre(20, 20, 15, 10));
  // Places 0 and 2: what lies between is not averaged.
  EXPECT_THAT(bilinear({{1, 4, 1}, {10, 99, 30, 99}}, 1, 2), ElementsAre(10, 30));
  // Both directions, two channels: rows at 0 and ½.
  EXPECT_THAT(bilinear({{2, 1, 2}, {0, 100, 40, 200}}, 4, 1), ElementsAre(0, 100, 20, 150, 40, 200, 40, 200));
  // 3 → 2: places 0 and 1½.
  EXPECT_THAT(bilinear({{3, 1, 1}, {0, 10, 30}}, 2, 1), ElementsAre(0, 20));
}

TEST(TensorFlowResize, BilinearAgreesWithTheFormulaAtEveryPixel) {
  for (const ImageShape shape : {ImageShape{7, 11, 3}, {40, 31, 3}, {23, 64, 1}}) {
    const Image image = testing::random_image(shape, 1);
    const std::int64_t height = 19, width = 26;
    const std::vector<float> out = bilinear(image, height, width);
    const auto pixel = [&](std::int64_t y, std::int64_t x, std::int64_t c) {
      y = std::min(y, shape.height - 1);
      x = std::min(x, shape.width - 1);
      return static_cast<double>(
          image.bytes[static_cast<std::size_t>((y * shape.width + x) * shape.channels + c)]);
    };
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          const double py = static_cast<double>(y * shape.height) / static_cast<double>(height);
          const double px = static_cast<double>(x * shape.width) / static_cast<double>(width);
          const auto iy = static_cast<std::int64_t>(py), ix = static_cast<std::int64_t>(px);
          const double fy = py - std::floor(py), fx = px - std::floor(px);
          const double expected = (1 - fy) * ((1 - fx) * pixel(iy, ix, c) + fx * pixel(iy, ix + 1, c)) +
                                  fy * ((1 - fx) * pixel(iy + 1, ix, c) + fx * pixel(iy + 1, ix + 1, c));
          ASSERT_NEAR(
              static_cast<double>(out[static_cast<std::size_t>((y * width + x) * shape.channels + c)]),
              expected, 1e-3);
        }
  }
}

TEST(TensorFlowResize, AlignedCornersStayWhereTheyAre) {
  const std::vector<float> in{1, 2, 4};
  std::vector<float> out(5);
  resize_bilinear_aligned(in.data(), {1, 3, 1}, 1, 5, out.data());
  EXPECT_THAT(out, ElementsAre(1, 1.5, 2, 3, 4));
  resize_bilinear_aligned(in.data(), {3, 1, 1}, 2, 1, out.data());
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], 4);
}

TEST(TensorFlowResize, BicubicByHand) {
  // At ½ the weights with A = −0.75 are −3/32, 19/32, 19/32, −3/32; at whole places 0, 1, 0, 0.
  const Image line{{1, 4, 1}, {0, 32, 64, 128}};
  const std::vector<float> out = bicubic(line, 1, 8);
  EXPECT_THAT(out, ElementsAre(0, FloatNear((19 * 32 - 3 * 64) / 32.0F, 1e-4F), 32,
                               FloatNear((19 * 96 - 3 * 128) / 32.0F, 1e-4F), 64,
                               FloatNear((19 * 192 - 3 * (32 + 128)) / 32.0F, 1e-4F), 128,
                               FloatNear((19 * 256 - 3 * (64 + 128)) / 32.0F, 1e-4F)));
  std::vector<float> mirrored = bicubic(line, 1, 8, true);
  std::ranges::reverse(mirrored);
  EXPECT_EQ(out, mirrored);
  EXPECT_EQ(bicubic({{4, 1, 1}, line.bytes}, 8, 1), out) << "along columns as along rows";
  // At ¼: far(1¼), near(¼), near(¾), far(1¾).
  const std::vector<float> quarter = bicubic({{1, 5, 1}, {0, 0, 0, 255, 0}}, 1, 20);
  const auto far = [](double x) { return -0.75 * x * x * x + 3.75 * x * x - 6 * x + 3; };
  const auto near = [](double x) { return 1.25 * x * x * x - 2.25 * x * x + 1; };
  EXPECT_NEAR(quarter[5], 255 * far(1.75), 1e-3);
  EXPECT_NEAR(quarter[9], 255 * near(0.75), 1e-3);
}

TEST(TensorFlowResize, ConstantImagesStayConstant) {
  const Image image{{5, 9, 3}, std::vector<std::uint8_t>(135, 77)};
  for (const float value : bicubic(image, 13, 7)) EXPECT_NEAR(value, 77, 1e-4);
  for (const float value : bilinear(image, 13, 7)) EXPECT_EQ(value, 77);
}

}  // namespace
}  // namespace lrid::data
