#pragma once

#include "device_pass.hpp"

namespace lrid::stats::device {

/// Launch on the default stream of the current device: all sets of one tile; a round of larger ones.
void launch_whole_sets(const Batch& batch);
void launch_round(const Batch& batch, const Chunk& chunk, int round);

}  // namespace lrid::stats::device
