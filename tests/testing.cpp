#include "testing.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lrid::testing {

namespace fs = std::filesystem;

namespace {

std::optional<fs::path> first_existing(std::initializer_list<fs::path> candidates) {
  for (const fs::path& candidate : candidates)
    if (fs::exists(candidate)) return candidate;
  return std::nullopt;
}

/// The folder that an environment variable names, as on another machine than the build's, else the one that
/// was compiled in.
fs::path folder_of(const char* variable, const char* compiled_in) {
  const char* const named = std::getenv(variable);
  return named != nullptr && *named != '\0' ? named : compiled_in;
}

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

fs::path source_dir() {
  return folder_of("LRID_SOURCE_DIR", LRID_SOURCE_DIR);
}
fs::path program(const std::string& name) {
  return folder_of("LRID_BINARY_DIR", LRID_BINARY_DIR) / "bin" / name;
}

std::optional<fs::path> golden_path(const std::string& name) {
  if (const char* folder = std::getenv("LRID_GOLDEN_DIR"); folder != nullptr && *folder != '\0')
    return first_existing({fs::path(folder) / name});
  return first_existing({source_dir() / "tests/golden" / name});
}

std::string skip_reason(const std::string& name) {
  return name + " not found: set LRID_GOLDEN_DIR, or put it into tests/golden";
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "lrid-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string log_of(const std::function<void()>& body) {
  std::ostringstream text;
  const auto before = spdlog::default_logger();
  auto logger =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  logger->set_pattern("%v");
  spdlog::set_default_logger(logger);
  try {
    body();
  } catch (...) {
    spdlog::set_default_logger(before);
    throw;
  }
  spdlog::set_default_logger(before);
  return text.str();
}

CommandResult run_command(const std::string& command) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  const int status = std::system(("( " + command + " ) >'" + out + "' 2>'" + err + "'").c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, read_all(out), read_all(err)};
}

}  // namespace lrid::testing
