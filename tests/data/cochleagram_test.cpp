#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/data/cochleagram.hpp>
#include <lrid/io/hdf5.hpp>

#include "device.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

/// The test signal of the page on tasks.
Tensor test_signal() {
  const Tensor t = at::arange(Cochleagram::samples, torch::kFloat64) / 20000;
  const auto wave = [&](double frequency, double phase) {
    return at::sin(2 * std::numbers::pi * frequency * t + phase);
  };
  return 0.10 * wave(220, 0.3) + 0.05 * wave(1000, 1.1) + 0.03 * wave(3500, 2.0) +
         0.08 * (0.5 + 0.5 * wave(4, 0)) * wave(1800, 0) +
         0.04 * at::sin(2 * std::numbers::pi * (300 * t + 600 * t * t));
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.cpu() - b.cpu()).abs().max().item<double>();
}

class GoldenCochleagram : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto path = testing::golden_path("cochleagram.h5");
    if (!path) GTEST_SKIP() << testing::skip_reason("cochleagram.h5");
    file_ = std::make_unique<io::hdf5::InputFile>(*path);
  }
  Tensor read(const std::string& name, const std::vector<std::int64_t>& sizes) {
    return torch::tensor(file_->root().dataset(name).read<double>(), torch::kFloat64).view(sizes);
  }
  std::unique_ptr<io::hdf5::InputFile> file_;
};

TEST_F(GoldenCochleagram, Filters) {
  const Tensor filters = cochlear_filters();
  ASSERT_EQ(filters.sizes(), (std::vector<std::int64_t>{203, 20001}));
  EXPECT_LT(
      difference(filters.index({torch::tensor({0, 101, 202})}), read("filter_rows_0_101_202", {3, 20001})),
      1e-12);
  EXPECT_LT(difference(filters.sum(1), read("filter_row_sum", {203})), 1e-8);
  EXPECT_LT(difference(filters.square().sum(1), read("filter_row_sumsq", {203})), 1e-8);
  EXPECT_NEAR(filters.sum().item<double>(), 40290.520955492, 1e-6);
}

TEST_F(GoldenCochleagram, LowPass) {
  EXPECT_LT(difference(low_pass_taps(), read("kernel", {1001})), 1e-15);
  EXPECT_NEAR(low_pass_taps().sum().item<double>(), 1.000944659809, 1e-11);
}

TEST_F(GoldenCochleagram, OfTheTestSignalInDoublePrecision) {
  const Cochleagram cochleagram(torch::TensorOptions(torch::kFloat64).device(testing::device()));
  const Tensor signal = test_signal().unsqueeze(0).to(testing::device());
  const Tensor linear = cochleagram.linear(signal)[0];
  EXPECT_LT(difference(linear, read("linear", {203, 400})), 2e-9)
      << "which the file holds in single precision";
  const Tensor places = read("probes", {6, 2}).to(torch::kInt64), values = read("probe_linear", {6});
  const double scale = linear.abs().max().item<double>();
  for (std::int64_t i = 0; i < 6; ++i)
    EXPECT_NEAR(linear[places[i][0].item<std::int64_t>()][places[i][1].item<std::int64_t>()].item<double>(),
                values[i].item<double>(), 1e-10 * scale);
  const Tensor after = cochleagram(signal);
  ASSERT_EQ(after.sizes(), (std::vector<std::int64_t>{1, 1, 203, 400}));
  // The power has no bounded slope at 0: 1e-12 before it is 1e-8 where a value crosses 1e-8.
  EXPECT_LT(difference(after[0][0], read("cochleagram", {203, 400})), 1e-6);
  EXPECT_NEAR(after.mean().item<double>(), 0.053461452, 1e-8);
  EXPECT_NEAR(after[0][0][122][259].item<double>(), 0.334032531, 1e-8);
}

TEST_F(GoldenCochleagram, OfTheTestSignalInSinglePrecision) {
  const Cochleagram cochleagram(torch::TensorOptions(torch::kFloat32).device(testing::device()));
  // Several clips, more than are in memory at once: each is as if alone.
  const Tensor signal = test_signal().to(testing::device(), torch::kFloat32);
  const Tensor clips = at::stack({signal, signal * 0.5, signal * 0, signal, signal.flip(0), signal});
  const Tensor linear = cochleagram.linear(clips);
  EXPECT_LT(difference(linear[0].to(torch::kFloat64), read("linear", {203, 400})), 1e-7);
  EXPECT_LT(difference(cochleagram(clips)[0][0].to(torch::kFloat64), read("cochleagram", {203, 400})), 5e-3);
  EXPECT_TRUE(linear[3].equal(linear[0]));
  EXPECT_TRUE(linear[5].equal(linear[0]));
  EXPECT_LT(difference(linear[1] * 2, linear[0]), 1e-7);
  EXPECT_EQ(linear[2].abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace lrid::data
