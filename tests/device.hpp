#pragma once

#include <cstdlib>

#include <ATen/Context.h>
#include <torch/types.h>

namespace lrid::testing {

/// What golden tests run on: the processor, or what the environment variable LRID_TEST_DEVICE names ("cuda"),
/// in exact arithmetic.
inline torch::Device device() {
  const char* const name = std::getenv("LRID_TEST_DEVICE");
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  return torch::Device(name == nullptr ? "cpu" : name);
}

}  // namespace lrid::testing
