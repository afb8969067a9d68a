#pragma once

#include <lrid/nn/architecture.hpp>

namespace lrid::nn {

/// Residual networks: post-activation (He et al. 2015), and pre-activation (v2, He et al. 2016).
Architecture resnet18();
Architecture resnet34();
Architecture resnet50();
Architecture resnet101();
Architecture resnet152();
Architecture resnet18_v2();
Architecture resnet34_v2();
Architecture resnet50_v2();
Architecture resnet101_v2();
Architecture resnet152_v2();

}  // namespace lrid::nn
