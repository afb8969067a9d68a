#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/nn/checkpoint.hpp>

namespace lrid::train {

/// Where a run stands between two steps: what a resume needs beside the tensors.
struct RunCounters {
  std::int64_t step = 0, points = 0;  ///< made and taken
  std::int64_t steps_since_point = 0, steps_since_epoch = 0;
  double device_seconds = 0;  ///< used by all processes that trained it
};

/// `<out>.state`: counters, every tensor that changes during a run, and the run's configuration.
class RunState {
 public:
  /// Reads the state of the run at `out`; nothing if there is none. InputError naming the file if it cannot
  /// be read, lacks something, or was written with another configuration than `config` (TOML).
  static std::optional<RunState> read(const std::filesystem::path& out, const std::string& config);
  static void write(const std::filesystem::path& out, std::vector<nn::NamedTensor> tensors,
                    const RunCounters& counters, const std::string& config);

  [[nodiscard]] const RunCounters& counters() const { return counters_; }
  /// Copies the saved values into `tensors`. InputError unless names and shapes are the same.
  void restore(const std::vector<nn::NamedTensor>& tensors) const;

 private:
  RunState(std::filesystem::path path, RunCounters counters, std::vector<nn::NamedTensor> tensors)
      : path_(std::move(path)), counters_(counters), tensors_(std::move(tensors)) {}
  std::filesystem::path path_;
  RunCounters counters_;
  std::vector<nn::NamedTensor> tensors_;
};

/// Removes the state of a run and the temporary files that killed processes left beside it and its output.
void remove_leftovers(const std::filesystem::path& out);

}  // namespace lrid::train
