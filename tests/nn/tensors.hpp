#pragma once

// Tensors for tests: deterministic fills, golden arrays, comparison, finite differences.

#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/core/random.hpp>
#include <lrid/io/hdf5.hpp>

#include "device.hpp"

namespace lrid::testing {

using torch::Tensor;

inline constexpr auto contiguous_layout = torch::MemoryFormat::Contiguous;
inline constexpr auto channels_last_layout = torch::MemoryFormat::ChannelsLast;

/// Standard normal float64 values.
inline Tensor normal(at::IntArrayRef shape, std::uint64_t seed) {
  Tensor result = torch::empty(shape, torch::kFloat64);
  for (std::int64_t i = 0; i < result.numel(); ++i)
    result.data_ptr<double>()[i] = Key(seed).normal(static_cast<std::uint64_t>(i));
  return result;
}

inline Tensor read_tensor(const io::hdf5::Group& group, const std::string& name) {
  const io::hdf5::Dataset dataset = group.dataset(name);
  const std::vector<double> values = dataset.read<double>();
  return torch::tensor(values, torch::kFloat64).reshape(dataset.shape());
}

/// Whether |a − b| ≤ tolerance · max|b| everywhere, in the words of golden/README.md.
inline ::testing::AssertionResult close(const Tensor& a, const Tensor& b, double tolerance) {
  if (a.sizes() != b.sizes())
    return ::testing::AssertionFailure() << "shapes " << a.sizes() << " and " << b.sizes();
  const Tensor x = a.detach().to(torch::kFloat64).cpu(), y = b.detach().to(torch::kFloat64).cpu();
  if (!x.isnan().equal(y.isnan())) return ::testing::AssertionFailure() << "NaN in different places";
  const double scale = y.nan_to_num().abs().max().item<double>();
  const double difference = (x - y).nan_to_num().abs().max().item<double>();
  if (difference <= tolerance * scale) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "differ by " << difference << " where the largest is " << scale;
}

/// The gradient of f(x) (a scalar) by central differences, float64.
inline Tensor finite_differences(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
                                 double step = 1e-6) {
  const torch::NoGradGuard no_grad;
  const Tensor point = x.detach().clone(torch::MemoryFormat::Contiguous);
  Tensor gradient = torch::empty_like(point);
  double* const p = point.data_ptr<double>();
  for (std::int64_t i = 0; i < point.numel(); ++i) {
    const double value = p[i];
    p[i] = value + step;
    const double above = f(point).item<double>();
    p[i] = value - step;
    const double below = f(point).item<double>();
    p[i] = value;
    gradient.data_ptr<double>()[i] = (above - below) / (2 * step);
  }
  return gradient;
}

/// The gradient of Σ f(x)∘e with respect to x by autograd.
inline Tensor autograd_gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
                                const Tensor& e) {
  Tensor leaf = x.detach().clone().set_requires_grad(true);
  f(leaf).backward(e);
  return leaf.grad();
}

/// Holds autograd of f at x against finite differences, along a fixed random error.
inline void expect_gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
                            double tolerance = 1e-7) {
  Tensor e;
  {
    const torch::NoGradGuard no_grad;
    e = normal(f(x).sizes(), 99);
  }
  const auto scalar = [&](const Tensor& at) { return (f(at) * e).sum(); };
  EXPECT_TRUE(close(autograd_gradient(f, x, e), finite_differences(scalar, x), tolerance));
}

}  // namespace lrid::testing
