// Files as bytes: what a bad disk, a cut transfer or a stranger's program makes of them.
#include "read_anything.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  lrid::fuzzing::read_anything(bytes, size);
  return 0;
}
