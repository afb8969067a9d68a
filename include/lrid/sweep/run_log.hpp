#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lrid/train/device_time.hpp>

namespace lrid::sweep {

/// The log of a run, beside its trajectory file, which holds none of it so that equal runs give equal bytes:
/// RUN.log of RUN.h5; of a trajectory that is itself called RUN.log, RUN.log.log.
std::filesystem::path log_path(const std::filesystem::path& out);

/// Throws InputError if one of `inputs` is a file that training writes beside `out`: its log, its state, the
/// lease on it.
void require_not_beside(const std::filesystem::path& out, const std::vector<std::filesystem::path>& inputs);

/// Appends a line with clock, host and process to the log of a run. Training goes on without it: a line that
/// cannot be written is a warning.
void write_log_line(const std::filesystem::path& out, const std::string& text);
/// The same with the time used so far behind it: "complete after 12.300 processor-seconds".
void write_log_line(const std::filesystem::path& out, const std::string& text, const train::DeviceTime& used);

/// The device time used according to the last line that tells it, 0 if none does. The time that a killed
/// process spent after its last write is missing.
train::DeviceTime read_device_time(const std::filesystem::path& out);

/// Processes that took up a run one after the other at the same step and whose end the log does not tell:
/// they were killed (by Linux, if memory ran out), but for the last one if it still runs.
struct UnloggedExits {
  int count = 0;
  std::int64_t step = 0;

  /// After so many the network is trained alone; after one more it is marked failed.
  static constexpr int most_beside_others = 2;
};
UnloggedExits read_unlogged_exits(const std::filesystem::path& out);

}  // namespace lrid::sweep
