// The kernels' sources are compiled twice, by portable.cpp and avx2.cpp, the second with flags for AVX2. What
// such a file instantiates in a namespace that other files use too (Eigen's, std's) would be merged with
// theirs by the linker, AVX2 and all, and run on processors that lack it. Therefore
// - each of the two has an Eigen of its own (the namespace is renamed by a macro);
// - they use nothing of std that is not inlined away, and pass plain pointers only.
// The test Kernels.LeakNoInstructions looks at the object file.
#include "kernels.hpp"

namespace lrid::learn {

namespace portable {
extern const Kernels table;
}
#ifdef LRID_HAVE_AVX2
namespace avx2 {
extern const Kernels table;
}
#endif

const Kernels& portable_kernels() {
  return portable::table;
}

const Kernels& kernels() {
#ifdef LRID_HAVE_AVX2
  static const bool supported = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  if (supported) return avx2::table;
#endif
  return portable::table;
}

}  // namespace lrid::learn
