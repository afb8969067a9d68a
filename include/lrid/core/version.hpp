#pragma once

#include <string>

namespace lrid {

/// "0.1.0".
std::string version();
/// What goes into output files as `software`: lrid's version and git revision, the compiler.
/// Libraries append their own ("; torch 2.11.0").
std::string software();

}  // namespace lrid
