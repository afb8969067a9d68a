#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "testing.hpp"

namespace lrid::testing {

/// A Python that has a package: $LRID_PYTHON, else the environment that scripts/ make, else python3. Empty if
/// none.
inline std::string python_with(const std::string& package) {
  const char* chosen = std::getenv("LRID_PYTHON");
  const char* home = std::getenv("HOME");
  for (const std::string& python :
       {std::string(chosen == nullptr ? "" : chosen),
        std::string(home == nullptr ? "" : home) + "/.cache/lrid/python/bin/python", std::string("python3")})
    if (!python.empty() && run_command("'" + python + "' -c 'import " + package + "'").exit_code == 0)
      return python;
  return {};
}
inline std::string python_with_h5py() {
  return python_with("h5py");
}

inline const char* no_h5py = "no Python with h5py: set LRID_PYTHON to one";

/// Runs a script of the repository.
inline CommandResult run_python(const std::string& python, const std::string& script,
                                const std::string& arguments) {
  return run_command("'" + python + "' '" + (source_dir() / script).string() + "' " + arguments);
}

/// Runs tests/io/read_back.py <what> <file>, which reads with h5py and prints what it finds wrong.
inline CommandResult read_back(const std::string& python, const std::string& what,
                               const std::filesystem::path& file) {
  return run_python(python, "tests/io/read_back.py", what + " '" + file.string() + "'");
}

}  // namespace lrid::testing
