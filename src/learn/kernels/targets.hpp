// To be included by a file that names itself in HWY_TARGET_INCLUDE: Highway compiles that file once for each
// vector unit, and the widest the machine has is chosen when the program runs. No guard: foreach_target.h
// includes the file again for every target.
//
// Sums are rounded differently on different units, so the last bits of a result depend on the processor, but
// never on the number of threads.

// Left out are units whose width is unknown at compile time, and one that gains nothing over its neighbours.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
