#include <lrid/nn/batch_norm.hpp>

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::channels_last_layout;
using testing::close;
using testing::contiguous_layout;
using testing::normal;

constexpr BatchNorm::Settings settings = {.epsilon = 1e-5, .decay = 0.9};

/// Scale and shift that are not 1 and 0.
BatchNorm make_norm(std::int64_t channels, torch::ScalarType type = torch::kFloat64) {
  BatchNorm norm(channels, settings, type);
  const torch::NoGradGuard no_grad;
  norm.scale.copy_(normal({channels}, 11) * 0.5 + 1);
  norm.shift.copy_(normal({channels}, 12) * 0.5);
  return norm;
}

struct NormCase {
  std::vector<std::int64_t> shape;
  torch::MemoryFormat format;
  bool relu;
};
class BatchNormTest : public ::testing::TestWithParam<NormCase> {
 protected:
  [[nodiscard]] Tensor laid_out(const Tensor& at) const {
    return at.dim() == 4 ? at.contiguous(GetParam().format) : at;
  }
  [[nodiscard]] Tensor shaped(const Tensor& per_channel) const {
    return x.dim() == 4 ? per_channel.view({1, -1, 1, 1}) : per_channel.view({1, -1});
  }
  std::int64_t channels = GetParam().shape[1];
  bool relu = GetParam().relu;
  Tensor x = normal(GetParam().shape, 5) * 2 + 3;
};

TEST_P(BatchNormTest, MatchesItsDefinition) {
  BatchNorm norm = make_norm(channels);
  const Tensor rows = x.dim() == 4 ? x.permute({0, 2, 3, 1}).reshape({-1, channels}) : x;
  const double n = static_cast<double>(rows.size(0));
  const Tensor mean = rows.mean(0), variance = (rows - mean).square().mean(0);
  const auto normalised = [&](const Tensor& m, const Tensor& v) {
    const Tensor y = (x - shaped(m)) / (shaped(v) + 1e-5).sqrt() * shaped(norm.scale) + shaped(norm.shift);
    return relu ? y.relu() : y;
  };
  EXPECT_TRUE(close(norm.forward(laid_out(x), true, relu), normalised(mean, variance), 1e-13));
  EXPECT_TRUE(close(norm.running_mean, 0.1 * mean, 1e-13));
  EXPECT_TRUE(close(norm.running_var, 0.9 + 0.1 * variance * n / (n - 1), 1e-13));
  EXPECT_TRUE(
      close(norm.forward(laid_out(x), false, relu), normalised(norm.running_mean, norm.running_var), 1e-13));

  BatchNorm narrow = make_norm(channels, torch::kFloat32);
  EXPECT_TRUE(
      close(narrow.forward(laid_out(x.to(torch::kFloat32)), true, relu), normalised(mean, variance), 1e-5));
}

TEST_P(BatchNormTest, GradientsMatchFiniteDifferences) {
  for (const bool training : {true, false}) {
    BatchNorm norm = make_norm(channels);
    testing::expect_gradient([&](const Tensor& at) { return norm.forward(laid_out(at), training, relu); }, x,
                             1e-6);

    const Tensor y = norm.forward(laid_out(x), training, relu), e = normal(y.sizes(), 99);
    norm.scale.mutable_grad().reset();
    norm.shift.mutable_grad().reset();
    y.backward(e);
    BatchNorm other = make_norm(channels);
    other.running_mean.copy_(norm.running_mean);
    other.running_var.copy_(norm.running_var);
    const auto loss_with = [&](Tensor& target) {
      return [&](const Tensor& value) {
        const Tensor kept = target.detach().clone();
        target.detach().copy_(value);
        const Tensor mean = other.running_mean.clone(), variance = other.running_var.clone();
        Tensor loss = (other.forward(laid_out(x), training, relu) * e).sum();
        other.running_mean.copy_(mean);
        other.running_var.copy_(variance);
        target.detach().copy_(kept);
        return loss;
      };
    };
    EXPECT_TRUE(
        close(norm.scale.grad(), testing::finite_differences(loss_with(other.scale), other.scale), 1e-6));
    EXPECT_TRUE(
        close(norm.shift.grad(), testing::finite_differences(loss_with(other.shift), other.shift), 1e-6));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, BatchNormTest,
                         ::testing::Values(NormCase{{3, 5, 4, 3}, contiguous_layout, false},
                                           NormCase{{3, 5, 4, 3}, contiguous_layout, true},
                                           NormCase{{3, 5, 4, 3}, channels_last_layout, false},
                                           NormCase{{3, 5, 4, 3}, channels_last_layout, true},
                                           NormCase{{2, 37, 3, 3}, channels_last_layout, true},
                                           NormCase{{7, 4}, contiguous_layout, false}));

TEST(BatchNorm, WithoutAShiftTrainsNone) {
  BatchNorm norm(4, {.epsilon = 1e-5, .decay = 0.9, .initial_scale = 0, .shift = false}, torch::kFloat64);
  EXPECT_FALSE(norm.shift.requires_grad());
  norm.forward(normal({6, 4}, 1), true, false).sum().backward();
  EXPECT_TRUE(norm.scale.grad().defined());
  EXPECT_FALSE(norm.shift.grad().defined());
  EXPECT_EQ(norm.scale.detach().abs().max().item<double>(), 0);
}

TEST(BatchNorm, KeepsTheBiasedVarianceWhereAsked) {
  BatchNorm norm(2, {.decay = 0.75, .running_variance = BatchNorm::RunningVariance::biased}, torch::kFloat64);
  const Tensor x = testing::normal({5, 2}, 1).set_requires_grad(true);
  norm.forward(x, true, false).square().sum().backward();
  EXPECT_TRUE(testing::close(norm.running_var, 0.75 + 0.25 * x.detach().var(0, /*unbiased=*/false), 1e-14));
  EXPECT_TRUE(testing::close(norm.running_mean, 0.25 * x.detach().mean(0), 1e-14));
}

}  // namespace
}  // namespace lrid::nn
