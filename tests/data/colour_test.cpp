#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/random.hpp>
#include <lrid/data/colour.hpp>

namespace lrid::data {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using Pixels = std::vector<float>;

template <class Change>
Pixels after(Pixels pixels, const Change& change) {
  change(std::span<float>(pixels));
  return pixels;
}

TEST(Colour, BrightnessIsAdded) {
  EXPECT_THAT(after({0.1F, 0.5F, 0.9F}, [](auto p) { add_brightness(p, 0.25F); }),
              Pointwise(FloatNear(1e-6F), Pixels{0.35F, 0.75F, 1.15F}));
  EXPECT_THAT(after({-0.1F, 0.5F, 1.1F}, clip_to_unit), Pointwise(FloatNear(0), Pixels{0, 0.5F, 1}));
}

TEST(Colour, ContrastTurnsAboutEachChannelsMean) {
  // Red 0.2 and 0.6 have mean 0.4; green and blue do not vary.
  EXPECT_THAT(after({0.2F, 0.5F, 0.1F, 0.6F, 0.5F, 0.1F}, [](auto p) { scale_contrast(p, 0.5F); }),
              Pointwise(FloatNear(1e-6F), Pixels{0.3F, 0.5F, 0.1F, 0.5F, 0.5F, 0.1F}));
}

TEST(Colour, SaturationInHsv) {
  // V 0.8, S ¾, hue 0 (red): half the saturation lifts the others to V·(1 − 0.375).
  EXPECT_THAT(after({0.8F, 0.2F, 0.2F}, [](auto p) { scale_saturation(p, 0.5F); }),
              Pointwise(FloatNear(1e-6F), Pixels{0.8F, 0.5F, 0.5F}));
  // Cut at S = 1.
  EXPECT_THAT(after({0.8F, 0.2F, 0.2F}, [](auto p) { scale_saturation(p, 2); }),
              Pointwise(FloatNear(1e-6F), Pixels{0.8F, 0, 0}));
  EXPECT_THAT(after({0.3F, 0.3F, 0.3F}, [](auto p) { scale_saturation(p, 1.8F); }),
              Pointwise(FloatNear(1e-6F), Pixels{0.3F, 0.3F, 0.3F}));
}

TEST(Colour, HueTurns) {
  const Pixels red{0.9F, 0.1F, 0.3F};
  EXPECT_THAT(after(red, [](auto p) { turn_hue(p, 1.0F / 3); }),
              Pointwise(FloatNear(1e-5F), Pixels{0.3F, 0.9F, 0.1F}));
  EXPECT_THAT(after(red, [](auto p) { turn_hue(p, -1.0F / 3); }),
              Pointwise(FloatNear(1e-5F), Pixels{0.1F, 0.3F, 0.9F}));
  Stream random(Key(3));
  for (int i = 0; i < 100; ++i) {
    const Pixels pixel{static_cast<float>(random.uniform()), static_cast<float>(random.uniform()),
                       static_cast<float>(random.uniform())};
    const auto turns = static_cast<float>(random.uniform(-0.2, 0.2));
    EXPECT_THAT(after(pixel,
                      [&](auto p) {
                        turn_hue(p, turns);
                        turn_hue(p, -turns);
                      }),
                Pointwise(FloatNear(1e-5F), pixel));
  }
}

TEST(Colour, Grey) {
  EXPECT_THAT(after({1, 0, 0, 0, 1, 0, 0, 0, 1}, make_grey),
              Pointwise(FloatNear(1e-6F),
                        Pixels{0.2989F, 0.2989F, 0.2989F, 0.587F, 0.587F, 0.587F, 0.114F, 0.114F, 0.114F}));
}

}  // namespace
}  // namespace lrid::data
