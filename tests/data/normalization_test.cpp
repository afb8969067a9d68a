#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/data/normalization.hpp>

#include "pictures.hpp"

namespace lrid::data {
namespace {

using ::testing::HasSubstr;
using testing::input_error;
using testing::random_dataset;

constexpr ImageShape image_shape{5, 4, 3};
const std::vector<std::int64_t> chosen{0, 2, 3, 7, 8, 11, 12};

TEST(Normalization, MeanImageIsExact) {
  const auto images = random_dataset(20, 0, 2, image_shape).images;
  const Normalization result = fit_normalization(images, chosen, {});
  for (std::size_t i = 0; i < 60; ++i) {
    int sum = 0;
    for (const std::int64_t n : chosen) sum += images[static_cast<std::size_t>(n)].bytes[i];
    EXPECT_EQ(result.offset[i], static_cast<float>(sum / 7.0));
    EXPECT_EQ(result.factor[i], 1.0F);
  }
}

TEST(Normalization, WhiteSetsTheScale) {
  const auto images = random_dataset(20, 0, 2, image_shape).images;
  for (const char* kind : {"mean-image", "none"}) {
    const Normalization result = fit_normalization(images, chosen, {.kind = kind, .white = 1});
    for (const float factor : result.factor) EXPECT_EQ(factor, static_cast<float>(1.0 / 255));
  }
  for (const float offset : fit_normalization(images, chosen, {.kind = "none"}).offset) EXPECT_EQ(offset, 0);
}

TEST(Normalization, MeanSdGivesEachChannelMeanZeroAndVarianceOne) {
  const auto images = random_dataset(20, 0, 2, image_shape).images;
  const Normalization result = fit_normalization(images, chosen, {.kind = "mean-sd", .white = 1});
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (const std::int64_t n : chosen)
      for (std::size_t i = c; i < 60; i += 3) {
        const double value =
            (images[static_cast<std::size_t>(n)].bytes[i] - result.offset[i]) * result.factor[i];
        sum += value;
        squares += value * value;
      }
    EXPECT_NEAR(sum / 140, 0, 1e-5);
    EXPECT_NEAR(squares / 140, 1, 1e-5);
  }
}

TEST(Normalization, AConstantChannelBecomesZero) {
  const std::vector<Image> images(3, Image{{2, 2, 1}, {9, 9, 9, 9}});
  const Normalization result = fit_normalization(images, {0, 1, 2}, {.kind = "mean-sd"});
  EXPECT_EQ(result.offset[0], 9.0F);
  EXPECT_EQ(result.factor[0], 1.0F);
}

TEST(Normalization, UnknownKindIsAnError) {
  EXPECT_THAT(input_error([] {
                fit_normalization({Image{{1, 1, 1}, {0}}}, {0}, {.kind = "zca"});
              }),
              HasSubstr("data.normalize = \"zca\""));
}

}  // namespace
}  // namespace lrid::data
