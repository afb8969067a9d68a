#pragma once

#include <lrid/nn/architecture.hpp>

namespace lrid::nn {

/// AlexNet, plain and with local response normalisation.
Architecture alexnet();
Architecture alexnet_lrn();

}  // namespace lrid::nn
