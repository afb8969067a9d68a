#pragma once

#include <cstdint>

#include <torch/types.h>

#include <lrid/core/random.hpp>

namespace lrid::nn {

using torch::Tensor;

/// Uniform in [0, 1): element i (row-major) is key.uniform(i), rounded down where the type of `options`
/// (float32 or float64) is shorter. The same bits for any number of threads and on any device.
Tensor keyed_uniform(at::IntArrayRef shape, Key key, const torch::TensorOptions& options);

/// Standard normal, by Box-Muller: elements 2j and 2j+1 come from key.uniform(2j) and key.uniform(2j+1). The
/// same bits for any number of threads; on other devices the same up to rounding.
Tensor keyed_normal(at::IntArrayRef shape, Key key, const torch::TensorOptions& options);

/// Number of the current step of a run, for draws that differ from step to step.
class StepNumber {
 public:
  /// On the host only: a recorded step repeats its draws.
  StepNumber() = default;
  /// Also in device memory, from which draws read it, so that a recorded step draws anew when replayed.
  explicit StepNumber(torch::Device device);

  /// Host side, before the step.
  void set(std::int64_t step);
  [[nodiscard]] std::int64_t number() const { return number_; }
  /// int64 scalar; undefined if the number is on the host only.
  [[nodiscard]] const Tensor& on_device() const { return on_device_; }

 private:
  std::int64_t number_ = 0;
  Tensor on_device_;
};

/// The same with key.with(step): another draw for each step.
Tensor keyed_uniform(at::IntArrayRef shape, Key key, const StepNumber& step,
                     const torch::TensorOptions& options);
Tensor keyed_normal(at::IntArrayRef shape, Key key, const StepNumber& step,
                    const torch::TensorOptions& options);

/// The same written as tensor operations, which is how other devices than the processor make them: [n]
/// float64 on the device of `key`, the int64 scalar of a key's bits.
namespace by_operations {
Tensor key(Key key, torch::Device device);
/// key.with(step)
Tensor key(Key key, const Tensor& step);
Tensor uniform(std::int64_t n, const Tensor& key);
Tensor normal(std::int64_t n, const Tensor& key);
}  // namespace by_operations

}  // namespace lrid::nn
