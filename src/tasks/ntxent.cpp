#include "ntxent.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>

#include "batch_room.hpp"

namespace lrid::tasks {

namespace {

/// Enough to take a similarity out of a softmax.
constexpr double away = 1e9;

struct Part {
  Tensor loss, correct;  ///< sums over the part's samples
};

/// z1, z2 [n, D], normalised.
Part contrast(const Tensor& z1, const Tensor& z2, double temperature) {
  const std::int64_t n = z1.size(0);
  const Tensor itself = at::eye(n, z1.options()) * away;
  const Tensor ab = z1.matmul(z2.t()) / temperature;
  const Tensor aa = z1.matmul(z1.t()) / temperature - itself;
  const Tensor bb = z2.matmul(z2.t()) / temperature - itself;
  const Tensor own = at::arange(n, z1.options().dtype(torch::kInt64));
  const auto entropy = [&](const Tensor& across, const Tensor& within) {
    return at::cross_entropy_loss(at::cat({across, within}, 1), own, {}, at::Reduction::Sum);
  };
  return {entropy(ab, aa) + entropy(ab.t(), bb), ab.detach().argmax(1).eq(own).sum().to(torch::kFloat32)};
}

}  // namespace

LossValue ntxent(const Tensor& outputs, double temperature, std::int64_t shards) {
  const Tensor h = at_least_float32(outputs);
  const std::int64_t samples = h.size(0) / 2;
  const Tensor z = h / h.square().sum(1, true).clamp_min(1e-12).sqrt();
  Tensor loss, correct;
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    const std::int64_t begin = samples * shard / shards, count = samples * (shard + 1) / shards - begin;
    if (count == 0) continue;
    const Part part = contrast(z.narrow(0, begin, count), z.narrow(0, samples + begin, count), temperature);
    loss = loss.defined() ? loss + part.loss : part.loss;
    correct = correct.defined() ? correct + part.correct : part.correct;
  }
  return {loss / static_cast<double>(samples), Tensor(), correct.reshape({1})};
}

}  // namespace lrid::tasks
