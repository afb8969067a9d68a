#pragma once

#include <lrid/nn/architecture.hpp>

namespace lrid::nn {

/// The four networks of the KNet family: 3 or 4 convolutions, batch norm or local response normalisation.
Architecture knet4();
Architecture knet5();
Architecture knet4_lrn();
Architecture knet5_lrn();

}  // namespace lrid::nn
