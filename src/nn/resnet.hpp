#pragma once

#include <lrid/nn/architecture.hpp>

namespace lrid::nn {

/// Residual networks of 18 and 34 layers: post-activation, and pre-activation (v2).
Architecture resnet18();
Architecture resnet34();
Architecture resnet18_v2();
Architecture resnet34_v2();

}  // namespace lrid::nn
