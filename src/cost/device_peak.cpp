#include <algorithm>
#include <limits>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/core/interrupt.hpp>
#include <lrid/cost/device_peak.hpp>

#include "device_seconds.hpp"

namespace lrid::cost {

namespace {

/// The shortest time of several, after one that warms up; stops early where the work takes long.
template <class Work>
double shortest_seconds(torch::Device device, const Work& work) {
  constexpr int repeats = 20;
  constexpr double enough = 0.4;
  device_seconds(device, work);
  double shortest = std::numeric_limits<double>::infinity(), spent = 0;
  for (int repeat = 0; repeat < repeats && spent < enough; ++repeat) {
    check_interrupt();
    const double seconds = device_seconds(device, work);
    shortest = std::min(shortest, seconds);
    spent += seconds;
  }
  return shortest;
}

}  // namespace

DevicePeak measure_peak(const train::Compute& compute) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = compute.torch_device();
  const bool gpu = device.is_cuda();
  compute.apply();
  at::set_num_threads(static_cast<int>(compute.threads));
  const auto type =
      torch::TensorOptions(compute.precision == "bf16" ? torch::kBFloat16 : torch::kFloat32).device(device);

  DevicePeak peak;
  {
    // Random values: with zeros a GPU draws less power and runs faster than with numbers.
    const std::int64_t side = gpu ? 8192 : 1024;
    const torch::Tensor a = torch::randn({side, side}, type), b = torch::randn({side, side}, type);
    torch::Tensor product = torch::empty_like(a);
    const double cubed = static_cast<double>(side) * static_cast<double>(side) * static_cast<double>(side);
    peak.flops = 2 * cubed / shortest_seconds(device, [&] { at::mm_out(product, a, b); });
  }
  const std::int64_t bytes = (gpu ? 1024LL : 256LL) << 20;
  const torch::Tensor from = torch::ones({bytes}, torch::TensorOptions(torch::kUInt8).device(device));
  torch::Tensor to = torch::empty_like(from);
  peak.bytes = 2 * static_cast<double>(bytes) / shortest_seconds(device, [&] { to.copy_(from); });
  return peak;
}

}  // namespace lrid::cost
