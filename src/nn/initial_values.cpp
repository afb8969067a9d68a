#include <cmath>
#include <numbers>

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <lrid/nn/initial_values.hpp>

namespace lrid::nn {

namespace {

/// Standard deviation of a standard normal cut at ±2.
constexpr double cut_deviation = 0.87962566103423978;

/// [n] float64 filled with f(i), by as many threads as LibTorch has.
template <class F>
Tensor tabulate(std::int64_t n, const F& f) {
  Tensor result = torch::empty({n}, torch::kFloat64);
  double* const values = result.data_ptr<double>();
  at::parallel_for(0, n, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) values[i] = f(static_cast<std::uint64_t>(i));
  });
  return result;
}

/// Standard normal cut at ±2, by inversion: one uniform number each, where rejection would need a varying
/// number of them.
Tensor truncated_standard_normal(std::int64_t n, Key key) {
  const double reach = std::erf(std::numbers::sqrt2);  // P(|z| < 2)
  // Half a grid cell keeps the draw symmetric about zero.
  const Tensor u = tabulate(n, [&](std::uint64_t i) { return (2 * key.uniform(i) - 1 + 0x1p-53) * reach; });
  return (u.erfinv() * std::numbers::sqrt2).clamp(-2.0, 2.0);
}

}  // namespace

Fans fans(at::IntArrayRef kernel_shape) {
  std::int64_t window = 1;
  for (std::size_t axis = 2; axis < kernel_shape.size(); ++axis) window *= kernel_shape[axis];
  return {.in = kernel_shape[1] * window, .out = kernel_shape[0] * window};
}

Tensor draw_initial_values(const Initializer& initializer, at::IntArrayRef shape, Key key,
                           const torch::TensorOptions& options) {
  if (options.device().is_meta()) return torch::empty(shape, options.memory_format(c10::nullopt));
  const std::int64_t n = c10::multiply_integers(shape);
  const auto [fan_in, fan_out] = fans(shape);
  Tensor values;
  switch (initializer.kind) {
    case Initializer::Kind::normal:
      values = tabulate(n, [&](std::uint64_t i) { return initializer.sd * key.normal(i); });
      break;
    case Initializer::Kind::truncated_normal:
      values = truncated_standard_normal(n, key) * initializer.sd;
      break;
    case Initializer::Kind::glorot_uniform: {
      const double limit = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
      values = tabulate(n, [&](std::uint64_t i) { return limit * (2 * key.uniform(i) - 1); });
      break;
    }
    case Initializer::Kind::variance_scaling:
      values = truncated_standard_normal(n, key) / (std::sqrt(static_cast<double>(fan_in)) * cut_deviation);
      break;
  }
  const auto format = shape.size() == 4
                          ? options.memory_format_opt().value_or(torch::MemoryFormat::Contiguous)
                          : torch::MemoryFormat::Contiguous;
  return values.reshape(shape).to(options.memory_format(c10::nullopt)).contiguous(format);
}

}  // namespace lrid::nn
