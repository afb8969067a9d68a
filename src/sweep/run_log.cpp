#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/file.hpp>
#include <lrid/sweep/run_log.hpp>

namespace lrid::sweep {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view after = " after ";

/// RUN.log of RUN.h5; of a trajectory that is itself called RUN.log, RUN.log.log.
fs::path log_of(const fs::path& out) {
  return companion_path(out.extension() == ".log" ? out : fs::path(out).replace_extension(), ".log");
}

/// Beginnings of the lines that log_start writes; all other lines tell how a process has ended.
constexpr std::string_view starts = "starts, ", goes_on = "goes on at step ";

}  // namespace

UnloggedExits read_unlogged_exits(const fs::path& out) {
  UnloggedExits ends;
  std::ifstream file(log_of(out));
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
  // One write: lines of several processes do not mix.
  std::ofstream(log_of(out), std::ios::app)
      << fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} {} {}\n", fmt::gmtime(now), host_name(), ::getpid(), text);
}

void write_log_line(const fs::path& out, const std::string& text, const train::DeviceTime& used) {
  write_log_line(out, fmt::format("{}{}{:.3f} {}-seconds", text, after, used.seconds, used.unit()));
}

train::DeviceTime read_device_time(const fs::path& out) {
  train::DeviceTime used;
  std::ifstream file(log_of(out));
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.rfind(after);
    if (at == std::string::npos) continue;
    const char* number = line.data() + at + after.size();
    double seconds = 0;
    const auto [end, error] = std::from_chars(number, line.data() + line.size(), seconds);
    const std::string_view rest(end, static_cast<std::size_t>(line.data() + line.size() - end));
    if (error == std::errc() && (rest == " GPU-seconds" || rest == " processor-seconds"))
      used = {seconds, rest == " GPU-seconds"};
  }
  return used;
}

}  // namespace lrid::sweep
