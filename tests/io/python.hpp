#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "testing.hpp"

namespace lrid::testing {

/// A Python that has h5py: $LRID_PYTHON, else the environment that scripts/ make, else python3. Empty if
/// none.
inline std::string python_with_h5py() {
  const char* chosen = std::getenv("LRID_PYTHON");
  const char* home = std::getenv("HOME");
  for (const std::string& python :
       {std::string(chosen == nullptr ? "" : chosen),
        std::string(home == nullptr ? "" : home) + "/.cache/lrid/python/bin/python", std::string("python3")})
    if (!python.empty() && run_command("'" + python + "' -c 'import h5py'").exit_code == 0) return python;
  return {};
}

inline const char* no_h5py = "no Python with h5py: set LRID_PYTHON to one";

/// Runs tests/io/read_back.py <what> <file>, which reads with h5py and prints what it finds wrong.
inline CommandResult read_back(const std::string& python, const std::string& what,
                               const std::filesystem::path& file) {
  return run_command("'" + python + "' '" + (source_dir() / "tests/io/read_back.py").string() + "' " + what +
                     " '" + file.string() + "'");
}

}  // namespace lrid::testing
