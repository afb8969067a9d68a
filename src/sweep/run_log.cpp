#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/sweep/run_log.hpp>

namespace lrid::sweep {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view after = " after ";

/// Beginnings of the lines that log_start writes; all other lines tell how a process has ended.
constexpr std::string_view starts = "starts, ", goes_on = "goes on at step ";

/// Appends whole or not at all; returns what kept it from that, "" if nothing did. One write: lines of
/// several processes do not mix.
std::string append(const fs::path& path, std::string_view line) {
  // A pipe without a reader would keep us waiting.
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor < 0) return std::strerror(errno);
  struct stat before {};
  std::string failure;
  if (::fstat(descriptor, &before) != 0)
    failure = std::strerror(errno);
  else if (!S_ISREG(before.st_mode))
    failure = "is no file";
  else if (const ssize_t written = ::write(descriptor, line.data(), line.size()); written < 0)
    failure = std::strerror(errno);
  else if (written != std::ssize(line))
    // Half a line would spoil the next one.
    failure = ::ftruncate(descriptor, before.st_size) == 0 ? "no space left for it" : std::strerror(errno);
  if (::close(descriptor) != 0 && failure.empty()) failure = std::strerror(errno);
  return failure;
}

/// A log open for reading; one that cannot be read if it is no file, as a pipe would keep us waiting.
std::ifstream open_log(const fs::path& path) {
  return type_of(path) == fs::file_type::regular ? std::ifstream(path) : std::ifstream();
}

}  // namespace

fs::path log_path(const fs::path& out) {
  return companion_path(out.extension() == ".log" ? out : fs::path(out).replace_extension(), ".log");
}

void require_not_beside(const fs::path& out, const std::vector<fs::path>& inputs) {
  const std::vector<std::pair<const char*, fs::path>> companions{{"log", log_path(out)},
                                                                 {"state", companion_path(out, ".state")},
                                                                 {"lease", companion_path(out, ".claim")}};
  std::error_code ignored;
  for (const auto& [what, path] : companions)
    for (const fs::path& input : inputs)
      if (fs::exists(path, ignored) && same_file(path, input))
        bad_input("{}: its {} would be the input {}, expected another name for one of them", out.string(),
                  what, input.string());
}

UnloggedExits read_unlogged_exits(const fs::path& out) {
  UnloggedExits ends;
  std::ifstream file = open_log(log_path(out));
  for (std::string clock, host, process, text;
       file >> clock >> host >> process && std::getline(file >> std::ws, text);) {
    std::int64_t step = 0;
    if (text.starts_with(goes_on))
      std::from_chars(text.data() + goes_on.size(), text.data() + text.size(), step);
    else if (!text.starts_with(starts))
      step = -1;
    ends = {step < 0 ? 0 : step == ends.step ? ends.count + 1 : 1, std::max<std::int64_t>(step, 0)};
  }
  return ends;
}

void write_log_line(const fs::path& out, const std::string& text) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string line =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} {} {}\n", fmt::gmtime(now), host_name(), ::getpid(), text);
  const fs::path log = log_path(out);
  if (const std::string failure = append(log, line); !failure.empty())
    spdlog::warn("{}: cannot write \"{}\": {}", log.string(), text, failure);
}

void write_log_line(const fs::path& out, const std::string& text, const train::DeviceTime& used) {
  write_log_line(out, fmt::format("{}{}{:.3f} {}-seconds", text, after, used.seconds, used.unit()));
}

train::DeviceTime read_device_time(const fs::path& out) {
  train::DeviceTime used;
  std::ifstream file = open_log(log_path(out));
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.rfind(after);
    if (at == std::string::npos) continue;
    const char* number = line.data() + at + after.size();
    double seconds = 0;
    const auto [end, error] = std::from_chars(number, line.data() + line.size(), seconds);
    const std::string_view rest(end, to_size(line.data() + line.size() - end));
    if (error == std::errc() && (rest == " GPU-seconds" || rest == " processor-seconds"))
      used = {seconds, rest == " GPU-seconds"};
  }
  return used;
}

}  // namespace lrid::sweep
