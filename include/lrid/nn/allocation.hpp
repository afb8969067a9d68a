#pragma once

namespace lrid::nn {

/// Tells the C library to keep freed memory instead of handing it back to the system. A training step frees
/// and takes the same tensors over and over; without this, their pages are mapped and zeroed anew in every
/// step (about 4 % of KNet4's). For programs that train, once at their start; does nothing where it cannot be
/// done.
void keep_freed_memory();

/// Returns freed memory to the system once: after a network that ran out of memory.
void release_freed_memory();

}  // namespace lrid::nn
