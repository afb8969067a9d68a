#include <fmt/format.h>

#include <lrid/core/version.hpp>

#include "revision.hpp"

namespace lrid {

std::string version() {
  return LRID_VERSION;
}

std::string software() {
  return fmt::format("lrid {} ({}); gcc {}.{}", LRID_VERSION, LRID_REVISION, __GNUC__, __GNUC_MINOR__);
}

}  // namespace lrid
