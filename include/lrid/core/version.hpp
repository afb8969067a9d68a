#pragma once

#include <string>

namespace lrid {

/// Returns lrid's version, "0.1.0".
std::string version();
/// Returns lrid's version and git revision and the compiler, for the attribute `software` of output files.
/// Libraries append their own ("; torch 2.11.0").
std::string software();

}  // namespace lrid
