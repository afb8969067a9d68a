#include <cmath>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/data/contrastive_views.hpp>

#include "pictures.hpp"

namespace lrid::data {
namespace {

using torch::Tensor;

ContrastiveViews views_of(const Image& image, std::int64_t size, const ViewOptions& options = {}) {
  ImageDataset data;
  data.labels = {0};
  data.images = {image};
  return {std::make_shared<const ResidentSource>(std::move(data)), size, options};
}

Tensor view(const ContrastiveViews& views, std::uint64_t seed, double sigma = 0) {
  const ImageShape shape = views.shape();
  const Tensor out = torch::empty({shape.height, shape.width, 3});
  views.write_view(0, Key(seed), sigma, out.mutable_data_ptr<float>());
  return out;
}

TEST(ContrastiveViews, ViewsAreAFunctionOfTheirKeyWithinTheUnitInterval) {
  const ContrastiveViews views = views_of(testing::random_image({50, 70, 3}, 1), 48);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Tensor one = view(views, seed, 0.7);
    EXPECT_TRUE(one.equal(view(views, seed, 0.7)));
    EXPECT_GE(one.min().item<double>(), 0);
    EXPECT_LE(one.max().item<double>(), 1);
    EXPECT_FALSE(one.equal(view(views, seed + 1, 0.7)));
  }
}

TEST(ContrastiveViews, AFifthIsGreyAndHalfIsBlurred) {
  const ContrastiveViews views = views_of(testing::random_image({64, 64, 3}, 1), 40);
  int grey = 0, blurred = 0;
  const int count = 1000;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const Tensor sharp = view(views, seed);
    grey +=
        sharp.select(2, 0).equal(sharp.select(2, 1)) && sharp.select(2, 0).equal(sharp.select(2, 2)) ? 1 : 0;
    blurred += sharp.equal(view(views, seed, 1.5)) ? 0 : 1;
  }
  // Three standard deviations of a count.
  EXPECT_NEAR(grey, 0.2 * count, 3 * std::sqrt(0.2 * 0.8 * count));
  EXPECT_NEAR(blurred, 0.5 * count, 3 * std::sqrt(0.25 * count));
}

TEST(ContrastiveViews, AFifthKeepsItsColours) {
  // An even image stays even; its colour stays where neither jitter (0.8) nor grey (0.2) strikes: 0.16.
  Image even{{30, 30, 3}, {}};
  for (int i = 0; i < 900; ++i) even.bytes.insert(even.bytes.end(), {200, 100, 50});
  const ContrastiveViews views = views_of(even, 16);
  int kept = 0;
  const int count = 2000;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const Tensor one = view(views, seed);
    EXPECT_LT((one - one[0][0]).abs().max().item<double>(), 1e-5);
    kept += (one[0][0] - torch::tensor({200.0, 100.0, 50.0}) / 255).abs().max().item<double>() < 1e-5 ? 1 : 0;
  }
  EXPECT_NEAR(kept, 0.16 * count, 3 * std::sqrt(0.16 * 0.84 * count));
  // Without strength, jitter changes nothing: only grey does.
  const ContrastiveViews mild = views_of(even, 16, {.jitter = 0});
  kept = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed)
    kept +=
        (view(mild, seed)[0][0] - torch::tensor({200.0, 100.0, 50.0}) / 255).abs().max().item<double>() < 1e-5
            ? 1
            : 0;
  EXPECT_NEAR(kept, 0.8 * count, 3 * std::sqrt(0.16 * count));
}

TEST(ContrastiveViews, SigmaIsUniform) {
  const ContrastiveViews views = views_of(testing::random_image({8, 8, 3}, 1), 16);
  double sum = 0, lowest = 9, highest = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const double sigma = views.sigma(Key(i));
    sum += sigma;
    lowest = std::min(lowest, sigma);
    highest = std::max(highest, sigma);
  }
  EXPECT_NEAR(sum / 4000, 1.05, 0.03);
  EXPECT_NEAR(lowest, 0.1, 0.01);
  EXPECT_NEAR(highest, 2.0, 0.01);
  EXPECT_EQ(views_of(testing::random_image({8, 8, 3}, 1), 16, {.blur = false}).sigma(Key(1)), 0);
}

TEST(ContrastiveViews, TheProbeShowsTheCentre) {
  const auto centre = [](const Image& image, std::int64_t size) {
    const Tensor out = torch::empty({size, size, 3});
    views_of(image, size).write_centre(0, out.mutable_data_ptr<float>());
    return out;
  };
  const auto bytes = [](const Image& image) {
    return torch::tensor(std::vector<std::int64_t>(image.bytes.begin(), image.bytes.end()))
               .to(torch::kFloat32)
               .view({image.shape.height, image.shape.width, 3}) /
           255;
  };
  // 32 and below: the image itself. Above: 0.875 of the shorter side, here 56 of 64, so no resizing.
  const Image small = testing::random_image({32, 32, 3}, 2);
  EXPECT_LT((centre(small, 32) - bytes(small)).abs().max().item<double>(), 1e-6);
  const Image wide = testing::random_image({64, 80, 3}, 3);
  EXPECT_LT((centre(wide, 56) - bytes(wide).narrow(0, 4, 56).narrow(1, 12, 56)).abs().max().item<double>(),
            1e-6);
}

TEST(GaussianBlur, IsTheConvolutionWithZerosAround) {
  for (const auto& [height, width, sigma] :
       {std::tuple(40, 30, 0.8), {60, 60, 1.9}, {20, 45, 0.1}, {8, 8, 1.0}}) {
    Tensor image = torch::rand({height, width, 3});
    const std::int64_t reach = height / 10 / 2;
    const Tensor x = torch::arange(-reach, reach + 1, torch::kFloat64);
    Tensor taps = torch::exp(-x.square() / (2 * sigma * sigma));
    taps = taps / taps.sum();
    const Tensor kernel = taps.outer(taps).view({1, 1, 2 * reach + 1, 2 * reach + 1});
    const Tensor expected =
        at::conv2d(image.permute({2, 0, 1}).unsqueeze(1).to(torch::kFloat64), kernel, {}, 1, reach)
            .squeeze(1)
            .permute({1, 2, 0});
    gaussian_blur(image.mutable_data_ptr<float>(), height, width, sigma);
    EXPECT_LT((image.to(torch::kFloat64) - expected).abs().max().item<double>(), 1e-5);
  }
}

}  // namespace
}  // namespace lrid::data
