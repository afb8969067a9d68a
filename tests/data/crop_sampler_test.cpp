#include <algorithm>

#include <gtest/gtest.h>

#include <lrid/data/crop_sampler.hpp>

namespace lrid::data {
namespace {

std::vector<Region> sample(std::int64_t height, std::int64_t width, const CropRange& range, int count) {
  std::vector<Region> crops;
  for (int i = 0; i < count; ++i) {
    Stream random(Key(7, "crops", {static_cast<std::uint64_t>(i)}));
    crops.push_back(sample_crop(height, width, range, random));
  }
  return crops;
}

struct Shares {
  double mean, median;
};

Shares area_shares(std::int64_t height, std::int64_t width) {
  std::vector<double> shares;
  double sum = 0;
  for (const Region& crop : sample(height, width, {}, 100000)) {
    shares.push_back(static_cast<double>(crop.height * crop.width) / static_cast<double>(height * width));
    sum += shares.back();
  }
  std::ranges::sort(shares);
  return {sum / static_cast<double>(shares.size()), shares[shares.size() / 2]};
}

TEST(CropSampler, AreasAreDistributedAsTensorFlows) {
  // Simulated for the page on tasks; sd of the mean of 100,000: 0.0007.
  const Shares wide = area_shares(375, 500), square = area_shares(400, 400);
  EXPECT_NEAR(wide.mean, 0.388, 0.003);
  EXPECT_NEAR(wide.median, 0.355, 0.004);
  EXPECT_NEAR(square.mean, 0.4225, 0.003);
  EXPECT_NEAR(square.median, 0.3905, 0.004);
}

TEST(CropSampler, CropsKeepToTheirLimits) {
  const std::int64_t height = 60, width = 90;
  std::int64_t least = height * width, tops = 0, lefts = 0;
  for (const Region& crop : sample(height, width, {}, 20000)) {
    ASSERT_GE(crop.top, 0);
    ASSERT_GE(crop.left, 0);
    ASSERT_LE(crop.top + crop.height, height);
    ASSERT_LE(crop.left + crop.width, width);
    // A width is rounded, so the aspect is a little off.
    const double aspect = static_cast<double>(crop.width) / static_cast<double>(crop.height);
    const double slack = 0.51 / static_cast<double>(crop.height);
    if (crop.height < height || crop.width < width) {
      ASSERT_GE(aspect, 0.75 - slack);
      ASSERT_LE(aspect, 4.0 / 3 + slack);
    }
    least = std::min(least, crop.height * crop.width);
    // The last place that would fit is never taken: offsets end at size − crop − 1.
    if (crop.height < height) tops += crop.top == height - crop.height ? 1 : 0;
    if (crop.width < width) lefts += crop.left == width - crop.width ? 1 : 0;
  }
  EXPECT_GE(least, height * width / 10) << "a tenth must be covered, though the range begins at 0.08";
  EXPECT_LT(least, height * width / 9);
  EXPECT_EQ(tops + lefts, 0);
}

TEST(CropSampler, TheWholeImageWhereNothingFits) {
  // No crop of a line has an aspect near 1 and a tenth of the area.
  for (const Region& crop : sample(1, 1000, {}, 10)) EXPECT_EQ(crop, (Region{0, 0, 1, 1000}));
  for (const Region& crop : sample(1, 1, {}, 10)) EXPECT_EQ(crop, (Region{0, 0, 1, 1}));
  for (const Region& crop : sample(3, 2, {}, 100)) {
    EXPECT_LE(crop.top + crop.height, 3);
    EXPECT_LE(crop.left + crop.width, 2);
  }
}

}  // namespace
}  // namespace lrid::data
