// Keyed random tensors, and dropout made from them.
#include "nn/dropout.hpp"

#include <ATen/Parallel.h>

#include <lrid/nn/keyed_tensor.hpp>

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::close;

constexpr std::int64_t draws = 100001;

TEST(KeyedTensor, UniformIsTheKeysOwn) {
  const Tensor u = keyed_uniform({draws}, Key(3), torch::kFloat64);
  for (const std::int64_t i : {std::int64_t{0}, std::int64_t{1}, draws - 1})
    EXPECT_EQ(u[i].item<double>(), Key(3).uniform(static_cast<std::uint64_t>(i)));
  const Tensor shorter = keyed_uniform({draws}, Key(3), torch::kFloat32).to(torch::kFloat64);
  EXPECT_TRUE((u - shorter).ge(0).all().item<bool>());
  EXPECT_LT((u - shorter).max().item<double>(), 0x1p-24);
}

TEST(KeyedTensor, OtherDevicesMakeTheSame) {
  EXPECT_TRUE(by_operations::uniform(draws, by_operations::key(Key(3), torch::kCPU))
                  .equal(keyed_uniform({draws}, Key(3), torch::kFloat64)));
  EXPECT_TRUE(close(by_operations::normal(draws, by_operations::key(Key(3), torch::kCPU)),
                    keyed_normal({draws}, Key(3), torch::kFloat64), 1e-14));
}

TEST(KeyedTensor, StepsDrawAnewAndInDeviceMemoryTheSame) {
  StepNumber host, device(torch::kCPU);
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{123456789012}}) {
    host.set(step);
    device.set(step);
    const Tensor u = keyed_uniform({5, 7}, Key(3), host, torch::kFloat32);
    EXPECT_TRUE(
        u.equal(keyed_uniform({5, 7}, Key(3).with(static_cast<std::uint64_t>(step)), torch::kFloat32)));
    EXPECT_TRUE(u.equal(keyed_uniform({5, 7}, Key(3), device, torch::kFloat32)));
    EXPECT_TRUE(close(keyed_normal({5, 7}, Key(3), host, torch::kFloat64),
                      keyed_normal({5, 7}, Key(3), device, torch::kFloat64), 1e-14));
  }
}

TEST(KeyedTensor, NormalHasTheMomentsOfOne) {
  const Tensor z = keyed_normal({draws}, Key(4), torch::kFloat64);
  const double root_n = std::sqrt(static_cast<double>(draws));
  EXPECT_NEAR(z.mean().item<double>(), 0, 5 / root_n);
  EXPECT_NEAR(z.square().mean().item<double>(), 1, 5 * std::sqrt(2) / root_n);
  EXPECT_NEAR(z.pow(4).mean().item<double>(), 3, 5 * std::sqrt(96) / root_n);
  const Tensor pairs = z.narrow(0, 0, draws - 1).view({-1, 2});
  EXPECT_NEAR((pairs.select(1, 0) * pairs.select(1, 1)).mean().item<double>(), 0, 5 * std::sqrt(2) / root_n);
}

TEST(Dropout, KeepsTheShareAndTheMean) {
  const Tensor y = dropout(torch::ones({100, 1000}), 0.75, Key(1), {});
  const Tensor kept = y != 0;
  EXPECT_NEAR(kept.to(torch::kFloat64).mean().item<double>(), 0.75, 0.007);
  EXPECT_TRUE(y.masked_select(kept).eq(1 / 0.75F).all().item<bool>());
}

TEST(Dropout, DependsOnTheKeyAlone) {
  const Tensor x = testing::normal({64, 300}, 1);
  const Tensor one = dropout(x, 0.5, Key(1), {});
  const int threads = at::get_num_threads();
  at::set_num_threads(threads > 1 ? 1 : 2);
  EXPECT_TRUE(dropout(x, 0.5, Key(1), {}).equal(one));
  at::set_num_threads(threads);
  EXPECT_FALSE(dropout(x, 0.5, Key(2), {}).equal(one));
  EXPECT_TRUE((dropout(x.to(torch::kFloat32), 0.5, Key(1), {}) != 0).equal(one != 0));
}

TEST(Dropout, SendsTheErrorThroughWhatItKept) {
  testing::expect_gradient([](const Tensor& x) { return dropout(x, 0.5, Key(7), {}); },
                           testing::normal({3, 5}, 2));
}

}  // namespace
}  // namespace lrid::nn
