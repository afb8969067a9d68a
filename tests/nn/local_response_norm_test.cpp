
#include "nn/local_response_norm.hpp"

#include "tensors.hpp"

namespace lrid::nn {
namespace {

using testing::close;
using testing::normal;

Tensor by_hand(const Tensor& x, const LocalResponseNorm& s) {
  std::vector<Tensor> channels;
  for (std::int64_t c = 0; c < x.size(1); ++c) {
    Tensor sum = torch::zeros_like(x.select(1, 0));
    for (std::int64_t j = std::max<std::int64_t>(c - s.radius, 0); j <= std::min(c + s.radius, x.size(1) - 1);
         ++j)
      sum += x.select(1, j).square();
    channels.push_back(x.select(1, c) / (s.bias + s.alpha * sum).pow(s.beta));
  }
  return torch::stack(channels, 1);
}

TEST(LocalResponseNorm, MatchesItsDefinition) {
  const Tensor x = normal({2, 9, 3, 4}, 5) * 30;
  for (const LocalResponseNorm& s :
       {LocalResponseNorm{3, 1, 5e-3, 0.75}, LocalResponseNorm{5, 2, 1e-2, 0.6}}) {
    EXPECT_TRUE(close(local_response_norm(x, s), by_hand(x, s), 1e-13));
    EXPECT_TRUE(
        close(local_response_norm(x.contiguous(torch::MemoryFormat::ChannelsLast), s), by_hand(x, s), 1e-13));
    EXPECT_TRUE(close(local_response_norm(x.to(torch::kFloat32), s), by_hand(x, s), 1e-5));
    testing::expect_gradient([&](const Tensor& at) { return local_response_norm(at, s); }, x, 1e-7);
  }
}

}  // namespace
}  // namespace lrid::nn
