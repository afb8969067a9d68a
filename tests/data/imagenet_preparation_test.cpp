#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/data/imagenet_preparation.hpp>

#include "pictures.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

using torch::Tensor;
using Kind = ImagenetPreparation::Kind;

std::shared_ptr<const ImageSource> source_of(std::vector<Image> images) {
  ImageDataset data;
  data.labels.assign(images.size(), 0);
  data.images = std::move(images);
  return std::make_shared<const ResidentSource>(std::move(data));
}

std::shared_ptr<const ImageSource> source_of(const Image& image) {
  return source_of(std::vector<Image>{image});
}

/// [size, size, 3] of image 0.
Tensor evaluated(const ImagenetPreparation& preparation) {
  const ImageShape shape = preparation.shape();
  const Tensor out = torch::empty({shape.height, shape.width, 3});
  preparation.write_evaluation(0, out.mutable_data_ptr<float>());
  return out;
}

Tensor trained(const ImagenetPreparation& preparation, std::uint64_t seed) {
  const ImageShape shape = preparation.shape();
  const Tensor out = torch::empty({shape.height, shape.width, 3});
  preparation.write_training(0, Key(seed), out.mutable_data_ptr<float>());
  return out;
}

constexpr std::array<double, 3> mean{0.485, 0.456, 0.406}, deviation{0.229, 0.224, 0.225};

TEST(ImagenetPreparation, EvaluationCropsByHand) {
  const auto source = source_of(testing::random_image({8, 8, 3}, 0));
  const ImagenetPreparation resnet(source, Kind::resnet, 224, true, false);
  EXPECT_EQ(resnet.evaluation_crop(256, 300), (Region{16, 38, 224, 224}));
  // s = 256/375: ⌊224·375/256⌋ = ⌊328.1⌋.
  EXPECT_EQ(resnet.evaluation_crop(375, 500), (Region{23, 86, 328, 328}));
  EXPECT_EQ(resnet.evaluation_crop(1, 1), (Region{0, 0, 1, 1}));
  const ImagenetPreparation inception(source, Kind::inception, 299, true, false);
  EXPECT_EQ(inception.evaluation_crop(375, 500), (Region{23, 31, 329, 438}));
  EXPECT_EQ(inception.evaluation_crop(3, 16), (Region{0, 1, 3, 14}));
}

TEST(ImagenetPreparation, ResnetTruncatesAndNormalises) {
  // A ramp twice as wide as the crop's scale: after the crop every second output lies at half a byte.
  Image image{{256, 256, 3}, {}};
  for (std::int64_t y = 0; y < 256; ++y)
    for (std::int64_t x = 0; x < 256; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        image.bytes.push_back(static_cast<std::uint8_t>(c == 0 ? x : c == 1 ? y : 7));
  const Tensor out = evaluated(ImagenetPreparation(source_of(image), Kind::resnet, 224, true, false));
  for (const auto& [y, x] : {std::pair(0, 0), {17, 100}, {223, 223}}) {
    EXPECT_NEAR(out[y][x][0].item<double>(), ((x + 16) / 255.0 - mean[0]) / deviation[0], 1e-5);
    EXPECT_NEAR(out[y][x][1].item<double>(), ((y + 16) / 255.0 - mean[1]) / deviation[1], 1e-5);
    EXPECT_NEAR(out[y][x][2].item<double>(), (7 / 255.0 - mean[2]) / deviation[2], 1e-5);
  }
  // Half the size: output x lies at x/2, and 0.5 is cut off.
  Image half{{128, 128, 3}, {}};
  for (std::int64_t i = 0; i < 128 * 128; ++i)
    half.bytes.insert(half.bytes.end(), 3, static_cast<std::uint8_t>(i % 128));
  const Tensor small = evaluated(ImagenetPreparation(source_of(half), Kind::resnet, 224, true, false));
  for (const int x : {0, 1, 2, 101, 222}) {
    const int grey = 8 + x / 2;
    EXPECT_NEAR(small[50][x][0].item<double>(), (grey / 255.0 - mean[0]) / deviation[0], 1e-5) << x;
  }
}

TEST(ImagenetPreparation, AnotherSizeIsResizedAgain) {
  const auto source = source_of(testing::random_image({250, 300, 3}, 4));
  const Tensor at224 = evaluated(ImagenetPreparation(source, Kind::resnet, 224, true, false));
  const Tensor at299 = evaluated(ImagenetPreparation(source, Kind::resnet, 299, true, false));
  const Tensor expected =
      at::upsample_bilinear2d(at224.permute({2, 0, 1}).unsqueeze(0), {299, 299}, /*align_corners=*/true)[0]
          .permute({1, 2, 0});
  EXPECT_LT((at299 - expected).abs().max().item<double>(), 1e-4);
}

TEST(ImagenetPreparation, TheWholeImageBecomesASquareSomewhere) {
  // Nothing of an image of 1 × 1000 fits, so the fallback is a square of 1.
  const ImagenetPreparation resnet(source_of(testing::random_image({8, 8, 3}, 0)), Kind::resnet, 224, true,
                                   false);
  std::int64_t lowest = 1000, highest = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Stream random{Key(i)};
    const Region crop = resnet.training_crop(1, 1000, random);
    ASSERT_EQ(crop.height * crop.width, 1);
    lowest = std::min(lowest, crop.left);
    highest = std::max(highest, crop.left);
  }
  EXPECT_LT(lowest, 10);
  EXPECT_GT(highest, 989);
}

TEST(ImagenetPreparation, AlexCenterStaysInTheCentralSquare) {
  const ImagenetPreparation alex(source_of(testing::random_image({8, 8, 3}, 0)), Kind::alex_center, 224, true,
                                 false);
  std::int64_t lowest = 1000, highest = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Stream random{Key(i)};
    const Region crop = alex.training_crop(256, 356, random);
    ASSERT_EQ(crop.height, 224);
    ASSERT_EQ(crop.width, 224);
    ASSERT_LE(crop.top, 32);
    lowest = std::min(lowest, crop.left);
    highest = std::max(highest, crop.left);
  }
  EXPECT_EQ(lowest, 50);
  EXPECT_EQ(highest, 82);
}

TEST(ImagenetPreparation, MirrorsHalfOfTheTime) {
  // Left half black, right half white, whatever the crop.
  Image image{{64, 64, 3}, {}};
  for (std::int64_t i = 0; i < 64 * 64; ++i) image.bytes.insert(image.bytes.end(), 3, i % 64 < 32 ? 0 : 255);
  int mirrored = 0, told = 0;
  const ImagenetPreparation resnet(source_of(image), Kind::resnet, 224, true, false);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Tensor out = trained(resnet, i);
    const double left = out[0][0][0].item<double>(), right = out[0][223][0].item<double>();
    if (left == right) continue;
    ++told;
    mirrored += left > right ? 1 : 0;
  }
  EXPECT_GT(told, 100);
  EXPECT_NEAR(static_cast<double>(mirrored) / told, 0.5, 0.15);
}

TEST(ImagenetPreparation, InceptionChangesBrightnessAndSaturation) {
  const Image grey{{40, 40, 3}, std::vector<std::uint8_t>(40 * 40 * 3, 128)};
  const ImagenetPreparation inception(source_of(grey), Kind::inception, 64, true, false);
  EXPECT_NEAR(evaluated(inception).mean().item<double>(), 2 * (128 / 255.0 - 0.5), 1e-6);
  double lowest = 1, highest = -1;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Tensor out = trained(inception, i);
    EXPECT_LT((out.max() - out.min()).item<double>(), 1e-5) << "grey stays even";
    lowest = std::min(lowest, out.mean().item<double>());
    highest = std::max(highest, out.mean().item<double>());
  }
  EXPECT_NEAR(lowest, 2 * ((128 - 32) / 255.0 - 0.5), 0.01);
  EXPECT_NEAR(highest, 2 * ((128 + 32) / 255.0 - 0.5), 0.01);
  const ImagenetPreparation plain(source_of(grey), Kind::inception, 64, false, false);
  EXPECT_TRUE(trained(plain, 1).equal(evaluated(plain)));
}

TEST(ImagenetPreparation, TinyAndGreyImages) {
  for (const ImageShape shape : {ImageShape{1, 1, 3}, {2, 1, 1}, {1, 700, 3}})
    for (const Kind kind : {Kind::resnet, Kind::alex_center, Kind::inception}) {
      const ImagenetPreparation preparation(source_of(testing::random_image(shape, 5)), kind, 32, true,
                                            false);
      for (std::uint64_t i = 0; i < 20; ++i)
        EXPECT_TRUE(trained(preparation, i).isfinite().all().item<bool>());
      EXPECT_TRUE(evaluated(preparation).isfinite().all().item<bool>());
    }
}

}  // namespace
}  // namespace lrid::data
