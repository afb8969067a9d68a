#include <ATen/Parallel.h>

#include <lrid/nn/initial_values.hpp>

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using Kind = Initializer::Kind;

struct Moments {
  double mean, sd, largest;
};
Moments moments(const Tensor& values) {
  return {values.mean().item<double>(), values.std().item<double>(), values.abs().max().item<double>()};
}

constexpr std::int64_t kernel_out = 64, kernel_in = 48,
                       kernel_side = 9;  // 248,832 values: sd of the sample sd is 0.14 % of it
Tensor draw(const Initializer& initializer, std::uint64_t seed = 1) {
  return draw_initial_values(initializer, {kernel_out, kernel_in, kernel_side, kernel_side}, Key(seed),
                             torch::kFloat64);
}

TEST(InitialValues, Normal) {
  const auto [mean, sd, largest] = moments(draw({Kind::normal, 0.01}));
  EXPECT_NEAR(mean, 0, 5 * 0.01 / std::sqrt(kernel_out * kernel_in * kernel_side * kernel_side));
  EXPECT_NEAR(sd, 0.01, 0.01 * 0.007);
  EXPECT_GT(largest, 0.04);  // P(all below 4 sd) < 1e-6
}

TEST(InitialValues, TruncatedNormalIsCutAtTwo) {
  const Tensor values = draw({Kind::truncated_normal, 0.01});
  const auto [mean, sd, largest] = moments(values);
  EXPECT_NEAR(mean, 0, 5e-5);
  EXPECT_NEAR(sd, 0.0087962566, 0.0087962566 * 0.007);
  EXPECT_LE(largest, 0.02);
  EXPECT_GT(largest, 0.0199);
  // A cut, not a clamp: no heap of values at the border. P(1.99 < |z| < 2 | |z| < 2) = 0.00114.
  EXPECT_NEAR((values.abs() > 0.0199).to(torch::kFloat64).mean().item<double>(), 0.00114, 0.0004);
  // Within one deviation: 0.6827/0.9545.
  EXPECT_NEAR((values.abs() < 0.01).to(torch::kFloat64).mean().item<double>(), 0.71523, 0.005);
}

TEST(InitialValues, GlorotUniform) {
  const auto [mean, sd, largest] = moments(draw({Kind::glorot_uniform}));
  const double limit = std::sqrt(6.0 / ((kernel_in + kernel_out) * kernel_side * kernel_side));
  EXPECT_NEAR(mean, 0, limit / 200);
  EXPECT_NEAR(sd, limit / std::sqrt(3.0), limit * 0.005);
  EXPECT_LE(largest, limit);
  EXPECT_GT(largest, 0.999 * limit);
}

TEST(InitialValues, VarianceScaling) {
  const auto [mean, sd, largest] = moments(draw({Kind::variance_scaling}));
  const double target = std::sqrt(1.0 / (kernel_in * kernel_side * kernel_side));
  EXPECT_NEAR(mean, 0, target / 100);
  EXPECT_NEAR(sd, target, target * 0.007);
  EXPECT_LE(largest, 2 * target / 0.87962566);
}

TEST(InitialValues, FansOfAMatrix) {
  EXPECT_EQ(fans({5, 7}).in, 7);
  EXPECT_EQ(fans({5, 7}).out, 5);
}

TEST(InitialValues, DependOnTheKeyAlone) {
  const Initializer initializer{Kind::truncated_normal, 0.1};
  const Tensor one = draw(initializer);
  const int threads = at::get_num_threads();
  at::set_num_threads(threads > 1 ? 1 : 2);
  EXPECT_TRUE(draw(initializer).equal(one));
  at::set_num_threads(threads);
  EXPECT_FALSE(draw(initializer, 2).equal(one));

  const auto channels_last =
      torch::TensorOptions(torch::kFloat32).memory_format(torch::MemoryFormat::ChannelsLast);
  const Tensor other = draw_initial_values(initializer, {kernel_out, kernel_in, kernel_side, kernel_side},
                                           Key(1), channels_last);
  EXPECT_TRUE(other.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(other.equal(one.to(torch::kFloat32)));
}

}  // namespace
}  // namespace lrid::nn
