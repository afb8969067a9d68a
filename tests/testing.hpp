#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace lrid::testing {

/// A golden file, in the folder that LRID_GOLDEN_DIR names, else in tests/golden. Nothing if it is not there:
/// the test then says GTEST_SKIP() << skip_reason(name).
std::optional<std::filesystem::path> golden_path(const std::string& name);
std::string skip_reason(const std::string& name);

/// The repository and the build folder.
std::filesystem::path source_dir();
std::filesystem::path program(const std::string& name);  ///< build/bin/<name>

/// A folder of its own for a test, removed afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Runs a shell command; its exit code, stdout and stderr.
struct CommandResult {
  int exit_code;
  std::string out, err;
};
CommandResult run_command(const std::string& command);

}  // namespace lrid::testing
