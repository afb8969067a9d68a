#pragma once

#include "device_pass.hpp"

namespace lrid::stats::device {

/// Launches pass_tile for all tiles and end_round for all sets, on the default stream of the current device.
void launch_round(const Batch& batch, int round);

}  // namespace lrid::stats::device
