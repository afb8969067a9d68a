#include "training.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lrid/core/file.hpp>

#include "testing.hpp"

namespace lrid::testing {

namespace fs = std::filesystem;

std::string lrid_train(const std::string& command, const std::string& arguments) {
  const bool reads_data = command == "run" || command == "sweep" || command == "benchmark";
  return fmt::format("'{}' {} --quiet {} {}", program("lrid-train").string(), command,
                     reads_data ? fmt::format("--data-dir '{}'", (source_dir() / "data").string()) : "",
                     arguments);
}

std::string write(const fs::path& path, const std::string& text) {
  write_atomically(path, text);
  return path.string();
}

std::map<std::string, std::string> hashes(const fs::path& folder) {
  std::map<std::string, std::string> result;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".h5") result[entry.path().filename()] = sha256_of_file(entry.path());
  return result;
}

std::vector<std::string> leftovers(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h5" && extension != ".log" && extension != ".toml")
      names.push_back(entry.path().filename());
  }
  return names;
}

pid_t start(const std::string& command, const fs::path& log) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int output = ::open(log.empty() ? "/dev/null" : log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
  ::_exit(127);
}

namespace {
int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
}  // namespace

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return code_of(status);
}

int run_and_signal(const std::string& command, const std::function<bool()>& moment, int signal_number) {
  const pid_t child = start(command);
  int status = 0;
  while (!moment()) {
    if (::waitpid(child, &status, WNOHANG) == child) return code_of(status);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ::kill(child, signal_number);
  return wait_for(child);
}

}  // namespace lrid::testing
