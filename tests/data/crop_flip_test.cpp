#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/data/crop_flip.hpp>

#include "pictures.hpp"

namespace lrid::data {
namespace {

using ::testing::HasSubstr;
using testing::input_error;
using testing::random_dataset;

/// One random image of 6 × 9 × 3, normalised by numbers that are different everywhere.
struct Fixture {
  std::shared_ptr<const ImageDataset> data =
      std::make_shared<const ImageDataset>(random_dataset(1, 0, 1, {6, 9, 3}));
  Normalization normalization;

  Fixture() {
    for (int i = 0; i < 6 * 9 * 3; ++i) {
      normalization.offset.push_back(100.0F + static_cast<float>(i));
      normalization.factor.push_back(1.0F + 0.01F * static_cast<float>(i));
    }
  }
  [[nodiscard]] CropFlip make(const CropFlipOptions& options) const { return {data, normalization, options}; }
  /// The normalised image at (y, x, c), zero outside.
  [[nodiscard]] float at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    if (y < 0 || y >= 6 || x < 0 || x >= 9) return 0;
    const auto i = static_cast<std::size_t>((y * 9 + x) * 3 + c);
    return (static_cast<float>(data->images[0].bytes[i]) - normalization.offset[i]) * normalization.factor[i];
  }
};

std::vector<float> training_input(const CropFlip& crop, Key key) {
  std::vector<float> input(static_cast<std::size_t>(crop.shape().values()), -1e9F);
  crop.write_training(0, key, input.data());
  return input;
}

TEST(CropFlip, WindowsAreShiftedAndMirroredExactly) {
  const Fixture fixture;
  // The last: more padding than image, so that windows may miss it wholly.
  for (const CropFlipOptions& options :
       {CropFlipOptions{}, {.pad = 2, .crop = 4}, {.pad = 0, .crop = 5, .flip = false}, {.pad = 12}}) {
    const CropFlip crop = fixture.make(options);
    const auto [height, width, channels] = crop.shape();
    EXPECT_EQ(height, options.crop.value_or(6));
    EXPECT_EQ(width, options.crop.value_or(9));
    for (std::uint64_t draw = 0; draw < 300; ++draw) {
      const Key key(draw);
      const CropFlipChoice choice = crop.choose(key);
      EXPECT_TRUE(-options.pad <= choice.top && choice.top <= 6 + options.pad - height);
      EXPECT_TRUE(-options.pad <= choice.left && choice.left <= 9 + options.pad - width);
      const std::vector<float> input = training_input(crop, key);
      for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x)
          for (std::int64_t c = 0; c < channels; ++c)
            ASSERT_EQ(input[static_cast<std::size_t>((y * width + x) * channels + c)],
                      fixture.at(choice.top + y, choice.left + (choice.flip ? width - 1 - x : x), c))
                << y << " " << x << " " << c;
    }
  }
}

TEST(CropFlip, ChoicesAreUniform) {
  const CropFlip crop = Fixture().make({.pad = 2});
  std::map<std::int64_t, int> tops, lefts;
  int flips = 0;
  constexpr int draws = 20000;
  for (int draw = 0; draw < draws; ++draw) {
    const CropFlipChoice choice = crop.choose(Key(0, "draw", {static_cast<std::uint64_t>(draw)}));
    ++tops[choice.top];
    ++lefts[choice.left];
    flips += choice.flip ? 1 : 0;
  }
  // Each within 5 standard deviations of its binomial.
  EXPECT_NEAR(flips, draws / 2.0, 5 * std::sqrt(draws / 4.0));
  for (const auto& counts : {tops, lefts}) {
    ASSERT_EQ(counts.size(), 5U);
    for (const auto& [start, count] : counts)
      EXPECT_NEAR(count, draws / 5.0, 5 * std::sqrt(draws * 0.2 * 0.8)) << start;
  }
}

TEST(CropFlip, SwitchedOffEveryPictureIsTheCentre) {
  const Fixture fixture;
  const CropFlip off = fixture.make({.enabled = false, .crop = 4});
  std::vector<float> evaluation(4 * 4 * 3);
  off.write_evaluation(0, evaluation.data());
  for (std::int64_t y = 0; y < 4; ++y)
    for (std::int64_t x = 0; x < 4; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        EXPECT_EQ(evaluation[static_cast<std::size_t>((y * 4 + x) * 3 + c)], fixture.at(1 + y, 2 + x, c));
  for (std::uint64_t draw = 0; draw < 20; ++draw) EXPECT_EQ(training_input(off, Key(draw)), evaluation);
}

TEST(CropFlip, FlipMayBeSwitchedOffAlone) {
  const CropFlip crop = Fixture().make({.flip = false});
  for (std::uint64_t draw = 0; draw < 100; ++draw) EXPECT_FALSE(crop.choose(Key(draw)).flip);
}

TEST(CropFlip, TooLargeACropIsAnError) {
  EXPECT_THAT(input_error([] { static_cast<void>(Fixture().make({.crop = 7})); }),
              HasSubstr("augmentation.crop = 7: images are 6 × 9 pixels"));
}

}  // namespace
}  // namespace lrid::data
