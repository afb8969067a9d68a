#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace lrid::train {

/// Time that a network has had a device for itself: of processors one core counts once, of GPUs a share where
/// several networks use one.
struct DeviceTime {
  double seconds = 0;
  bool gpu = false;

  [[nodiscard]] std::string unit() const { return gpu ? "GPU" : "processor"; }
};

/// Adds a line with clock, host and process to the log of a run, which lies beside the trajectory file:
/// `<out>` with the extension .log. That file holds none of it, so that equal runs give equal bytes. A log
/// that cannot be written is no error.
void write_log_line(const std::filesystem::path& out, const std::string& text);
/// The same with the time used so far behind it: "complete after 12.300 processor-seconds".
void write_log_line(const std::filesystem::path& out, const std::string& text, const DeviceTime& used);

/// The last time used that a log tells, 0 if it tells none. Time that a killed process spent after its last
/// write is not in it.
DeviceTime read_device_time(const std::filesystem::path& out);

/// The last processes that took up a run, all at the same step, and of whose end the log says nothing: they
/// were killed, unless the last one still lives. Linux ends a process so that takes more memory than there
/// is.
struct SilentEnds {
  int count = 0;
  std::int64_t step = 0;

  /// As many beside other networks, then it is tried alone; one more, and it is marked failed.
  static constexpr int most_beside_others = 2;
};
SilentEnds read_silent_ends(const std::filesystem::path& out);

}  // namespace lrid::train
