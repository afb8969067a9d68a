#include <limits>

#include <lrid/nn/padding.hpp>
#include <lrid/nn/pool.hpp>

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::channels_last_layout;
using testing::close;
using testing::contiguous_layout;
using testing::normal;

/// By the definition: every window, every real cell.
Tensor pool_by_hand(const Tensor& x, bool max) {
  const Pads rows = pads(Padding::same, x.size(2), 3, 2), columns = pads(Padding::same, x.size(3), 3, 2);
  Tensor result = torch::empty({x.size(0), x.size(1), rows.output, columns.output}, torch::kFloat64);
  const auto in = x.accessor<double, 4>();
  auto out = result.accessor<double, 4>();
  for (std::int64_t n = 0; n < x.size(0); ++n)
    for (std::int64_t c = 0; c < x.size(1); ++c)
      for (std::int64_t i = 0; i < rows.output; ++i)
        for (std::int64_t j = 0; j < columns.output; ++j) {
          double largest = -std::numeric_limits<double>::infinity(), sum = 0;
          int cells = 0;
          for (std::int64_t di = 0; di < 3; ++di)
            for (std::int64_t dj = 0; dj < 3; ++dj) {
              const std::int64_t y = 2 * i + di - rows.before, z = 2 * j + dj - columns.before;
              if (y < 0 || z < 0 || y >= x.size(2) || z >= x.size(3)) continue;
              largest = std::max(largest, in[n][c][y][z]);
              sum += in[n][c][y][z];
              ++cells;
            }
          out[n][c][i][j] = max ? largest : sum / cells;
        }
  return result;
}

struct PoolCase {
  std::vector<std::int64_t> shape;
  torch::MemoryFormat format;
};
class Pool : public ::testing::TestWithParam<PoolCase> {
 protected:
  [[nodiscard]] Tensor laid_out(const Tensor& at) const { return at.contiguous(GetParam().format); }
  Tensor x = normal(GetParam().shape, 5) - 3;  // mostly negative: a pad of zeros would win
};

TEST_P(Pool, MatchesItsDefinition) {
  EXPECT_TRUE(close(max_pool(laid_out(x)), pool_by_hand(x, true), 0));
  EXPECT_TRUE(close(average_pool(laid_out(x)), pool_by_hand(x, false), 1e-14));
  EXPECT_TRUE(close(max_pool(laid_out(x.to(torch::kFloat32))), pool_by_hand(x, true), 1e-6));
  EXPECT_TRUE(close(average_pool(laid_out(x.to(torch::kFloat32))), pool_by_hand(x, false), 1e-6));
}

TEST_P(Pool, GradientsMatchFiniteDifferences) {
  testing::expect_gradient([&](const Tensor& at) { return max_pool(laid_out(at)); }, x);
  testing::expect_gradient([&](const Tensor& at) { return average_pool(laid_out(at)); }, x);
}

TEST_P(Pool, TheFirstOfEqualMaximaGetsTheError) {
  const Tensor flat = torch::zeros_like(x);
  const auto pool = [&](const Tensor& at) { return max_pool(laid_out(at)); };
  const Tensor gradient = testing::autograd_gradient(pool, flat, torch::ones_like(pool(flat)));
  // Every window gives its error to one cell, and the top left cell is the first of its window.
  EXPECT_DOUBLE_EQ(gradient.sum().item<double>(), static_cast<double>(pool(flat).numel()));
  EXPECT_GE(gradient[0][0][0][0].item<double>(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Pool,
    ::testing::Values(PoolCase{{2, 3, 6, 8}, contiguous_layout}, PoolCase{{2, 3, 6, 8}, channels_last_layout},
                      PoolCase{{2, 3, 7, 5}, contiguous_layout}, PoolCase{{2, 3, 7, 5}, channels_last_layout},
                      PoolCase{{1, 1, 5, 4}, contiguous_layout}, PoolCase{{1, 1, 5, 4}, channels_last_layout},
                      PoolCase{{2, 33, 4, 5}, channels_last_layout},
                      PoolCase{{1, 2, 1, 1}, channels_last_layout},
                      PoolCase{{1, 2, 2, 1}, channels_last_layout}));

}  // namespace
}  // namespace lrid::nn
