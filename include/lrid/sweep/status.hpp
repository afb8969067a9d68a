#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/sweep/leases.hpp>
#include <lrid/sweep/run_log.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::sweep {

/// How a network of a sweep stands, as its files tell.
struct RunStatus {
  enum class State { done, running, failed, waiting } state = State::waiting;
  std::string name;
  std::filesystem::path file;
  double share = 0;  ///< of the run that is done and would not be lost, 0 … 1
  train::DeviceTime used;
  std::string reason;                          ///< why it failed, or what is wrong with its file
  std::optional<LeaseRecord> lease;            ///< of a running one
  std::optional<double> seconds_left;          ///< of a running one, by the clock, once it has made steps
  std::optional<train::DeviceTime> time_left;  ///< of one that is not done: estimated from those that are
};

struct SweepStatus {
  std::vector<RunStatus> runs;

  [[nodiscard]] std::int64_t count(RunStatus::State state) const;
};

/// Looks at every run of a sweep: header of its file, lease and log. Reads no data, writes nothing. The time
/// left is that of finished networks of the same architecture, task, rule and batch size, or of the nearest
/// kind that has finished. A file of another configuration, or that cannot be read, counts as failed.
SweepStatus sweep_status(const std::vector<train::RunPlan>& plans, const train::MakeCallback& make_callback);

/// A summary, then a line for each running and failed network.
std::string to_text(const SweepStatus& status);
/// `{"networks": …, "done": …, "running": …, "failed": …, "waiting": …, "used": {"gpu_hours",
/// "processor_hours"}, "left": {…}, "runs": [{"name", "file", "state", "share", "reason", "host", "pid",
/// "device", "silent_seconds", "seconds_left"}]}`; hours left are null until a network has finished.
std::string to_json(const SweepStatus& status);

}  // namespace lrid::sweep
