#pragma once

#include <string>

#include <torch/types.h>

#include <lrid/nn/network.hpp>

namespace lrid {

/// Data that a benchmark trains an architecture on: KNets 32×32 pixels and 10 classes, the others 224×224 and
/// 1000.
struct StepCase {
  nn::InputShape input;
  std::int64_t classes;
  torch::Tensor images, labels;
};

inline StepCase step_case(const std::string& architecture, std::int64_t batch) {
  const bool small = architecture.starts_with("KNet");
  const std::int64_t side = small ? 32 : 224, classes = small ? 10 : 1000;
  return {
      {3, side, side}, classes, torch::randn({batch, 3, side, side}), torch::randint(0, classes, {batch})};
}

}  // namespace lrid
