#include <cmath>
#include <limits>
#include <numbers>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/types.h>

#include <lrid/nn/keyed_tensor.hpp>

namespace lrid::nn {

namespace {

constexpr std::int64_t grain = 4096;  // elements a thread takes at least; even, so that no pair is torn

/// The uppermost bits of a hash as a number in [0, 1), as many as the type holds.
template <class T>
T unit_interval(std::uint64_t bits) {
  constexpr int digits = std::numeric_limits<T>::digits;
  constexpr T cell = T{1} / static_cast<T>(std::uint64_t{1} << digits);
  return cell * static_cast<T>(bits >> (64 - digits));
}

torch::TensorOptions plain(const torch::TensorOptions& options) {
  return options.memory_format(c10::nullopt).requires_grad(false);
}

}  // namespace

namespace by_operations {

namespace {

// Integers wrap, and shifts are arithmetic: what a logical shift would leave empty is masked.
std::int64_t as_signed(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

Tensor shifted(const Tensor& z, int by) {
  return z.bitwise_right_shift(by).bitwise_and_((std::int64_t{1} << (64 - by)) - 1);
}

/// mix64 (core/random.hpp) of each element, in place.
Tensor mix(Tensor z) {
  z.bitwise_xor_(shifted(z, 30)).mul_(as_signed(0xBF58476D1CE4E5B9ULL));
  z.bitwise_xor_(shifted(z, 27)).mul_(as_signed(0x94D049BB133111EBULL));
  return z.bitwise_xor_(shifted(z, 31));
}

}  // namespace

Tensor key(Key key, torch::Device device) {
  return at::full({}, as_signed(key.value()), torch::TensorOptions(torch::kInt64).device(device));
}

Tensor key(Key key, const Tensor& step) {
  // As Key::with.
  return mix(mix(step + as_signed(0xD1B54A32D192ED03ULL)).bitwise_xor_(as_signed(key.value())));
}

Tensor uniform(std::int64_t n, const Tensor& key) {
  Tensor z = torch::arange(1, n + 1, key.options());
  z.mul_(as_signed(0x9E3779B97F4A7C15ULL)).add_(key);
  return shifted(mix(z), 11).to(torch::kFloat64).mul_(0x1p-53);
}

Tensor normal(std::int64_t n, const Tensor& key) {
  const std::int64_t pairs = (n + 1) / 2;
  const Tensor u = uniform(2 * pairs, key).view({pairs, 2});
  const Tensor radius = (1 - u.select(1, 0)).log().mul(-2).sqrt();
  const Tensor angle = u.select(1, 1) * (2 * std::numbers::pi);
  return torch::stack({radius * angle.cos(), radius * angle.sin()}, 1).flatten().narrow(0, 0, n);
}

}  // namespace by_operations

namespace {

/// Result of the operations in the given shape and type.
Tensor uniform_of(const Tensor& key, at::IntArrayRef shape, const torch::TensorOptions& options) {
  Tensor u = by_operations::uniform(c10::multiply_integers(shape), key);
  if (options.dtype() == torch::kFloat32) u = u.mul_(0x1p24).floor_().mul_(0x1p-24);
  return u.reshape(shape).to(plain(options));
}

Tensor normal_of(const Tensor& key, at::IntArrayRef shape, const torch::TensorOptions& options) {
  return by_operations::normal(c10::multiply_integers(shape), key).reshape(shape).to(plain(options));
}

}  // namespace

Tensor keyed_uniform(at::IntArrayRef shape, Key key, const torch::TensorOptions& options) {
  const std::int64_t n = c10::multiply_integers(shape);
  if (!options.device().is_cpu())
    return uniform_of(by_operations::key(key, options.device()), shape, options);
  Tensor result = torch::empty(shape, plain(options));
  AT_DISPATCH_FLOATING_TYPES(result.scalar_type(), "keyed_uniform", [&] {
    auto* const values = result.data_ptr<scalar_t>();
    at::parallel_for(0, n, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        values[i] = unit_interval<scalar_t>(key.bits(static_cast<std::uint64_t>(i)));
    });
  });
  return result;
}

Tensor keyed_normal(at::IntArrayRef shape, Key key, const torch::TensorOptions& options) {
  const std::int64_t n = c10::multiply_integers(shape), pairs = (n + 1) / 2;
  if (!options.device().is_cpu()) return normal_of(by_operations::key(key, options.device()), shape, options);
  Tensor result = torch::empty(shape, plain(options));
  AT_DISPATCH_FLOATING_TYPES(result.scalar_type(), "keyed_normal", [&] {
    auto* const values = result.data_ptr<scalar_t>();
    at::parallel_for(0, pairs, grain / 2, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t pair = begin; pair < end; ++pair) {
        const auto first = static_cast<std::uint64_t>(2 * pair);
        const double radius = std::sqrt(-2 * std::log(1 - key.uniform(first)));  // of (0, 1]
        const double angle = 2 * std::numbers::pi * key.uniform(first + 1);
        values[2 * pair] = static_cast<scalar_t>(radius * std::cos(angle));
        if (2 * pair + 1 < n) values[2 * pair + 1] = static_cast<scalar_t>(radius * std::sin(angle));
      }
    });
  });
  return result;
}

StepNumber::StepNumber(torch::Device device)
    : on_device_(torch::zeros({}, torch::TensorOptions(torch::kInt64).device(device))) {}

void StepNumber::set(std::int64_t step) {
  number_ = step;
  if (on_device_.defined()) on_device_.fill_(step);
}

Tensor keyed_uniform(at::IntArrayRef shape, Key key, const StepNumber& step,
                     const torch::TensorOptions& options) {
  if (step.on_device().defined())
    return uniform_of(by_operations::key(key, step.on_device()), shape, options);
  return keyed_uniform(shape, key.with(static_cast<std::uint64_t>(step.number())), options);
}

Tensor keyed_normal(at::IntArrayRef shape, Key key, const StepNumber& step,
                    const torch::TensorOptions& options) {
  if (step.on_device().defined()) return normal_of(by_operations::key(key, step.on_device()), shape, options);
  return keyed_normal(shape, key.with(static_cast<std::uint64_t>(step.number())), options);
}

}  // namespace lrid::nn
