#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <climits>

#include <lrid/nn/allocation.hpp>

namespace lrid::nn {

void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
  // One arena: those of other threads hold 64 MB, and map what does not fit whatever the thresholds say.
  ::mallopt(M_ARENA_MAX, 1);
#endif
}

void release_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace lrid::nn
