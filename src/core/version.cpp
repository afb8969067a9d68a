#include <fmt/format.h>

#include <lrid/core/version.hpp>

#include "revision.hpp"

namespace lrid {

std::string version() {
  return LRID_VERSION;
}

std::string software() {
#ifdef __clang__
  const std::string compiler = fmt::format("clang {}.{}", __clang_major__, __clang_minor__);
#else
  const std::string compiler = fmt::format("gcc {}.{}", __GNUC__, __GNUC_MINOR__);
#endif
  return fmt::format("lrid {} ({}); {}", LRID_VERSION, LRID_REVISION, compiler);
}

}  // namespace lrid
