#pragma once

#include <chrono>

#include <torch/cuda.h>
#include <torch/types.h>

namespace lrid::cost {

/// The time that work takes until the device has done it.
template <class Work>
double device_seconds(torch::Device device, const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace lrid::cost
