#pragma once

#include <string>

#include <torch/types.h>

namespace lrid::nn {

using torch::Tensor;

/// A tensor of a network or of a rule's state, under the name that files use ("conv1/weight").
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

}  // namespace lrid::nn
