#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/train/run_config.hpp>
#include <lrid/train/run_log.hpp>
#include <lrid/train/runner.hpp>
#include <lrid/train/watcher.hpp>

namespace lrid::train {

/// What one kind of network takes on a machine, measured on a few steps and one trajectory point of it.
struct Cost {
  std::string architecture, task, learning_rule, precision;
  std::int64_t batch_size = 0;
  std::string data;  ///< the task's options, which decide how long an epoch and a point are
  std::int64_t training_samples = 0;
  double step_seconds = 0;         ///< one network alone, with `threads` of the table
  double point_seconds = 0;        ///< a trajectory point: validation, probe set, statistics
  std::int64_t memory_bytes = 0;   ///< peak, beyond the data that all networks share
  std::int64_t layers = 0;         ///< observed
  std::int64_t network_bytes = 0;  ///< parameters and buffers: a checkpoint
};

/// The costs that one machine has measured, as `lrid-train --benchmark` keeps them (TOML).
struct CostTable {
  std::string device;  ///< "NVIDIA H100 80GB HBM3", "AMD EPYC, 2 threads"
  bool gpu = false;
  std::int64_t threads = 0;  ///< processor threads a network
  std::string software;
  std::vector<Cost> costs;

  /// Adds a cost in place of what was known of the kind.
  void add(Cost cost);
};

/// InputError naming the file and what is wrong with it.
CostTable read_cost_table(const std::filesystem::path& path);
void write_cost_table(const std::filesystem::path& path, const CostTable& table);

/// Measures each kind of network among the plans that `known` does not have, one after the other, with
/// progress; loads the data. InputError if `known` is of another device.
CostTable measure_costs(const std::vector<RunPlan>& plans, const RunnerOptions& options,
                        const MakeWatcher& make_watcher, CostTable known = {});

/// What a run will take.
struct Estimate {
  DeviceTime time;                    ///< one network alone
  std::int64_t memory_bytes = 0;      ///< as Cost
  std::int64_t trajectory_bytes = 0;  ///< file, about
  std::int64_t checkpoint_bytes = 0;  ///< in it besides, where all points are kept
  bool extrapolated = false;          ///< from another batch size or learning rule: times and activations in
                                      ///< proportion to the batch
};
/// Nothing if the table has no network of this architecture, task, data and precision.
std::optional<Estimate> estimate(const RunPlan& plan, const CostTable& table);

/// What a sweep will take: a line for each network, one for each architecture and task with device time,
/// memory and disk of what is not `complete` yet (one flag a plan), and their sum; which of it is
/// extrapolated, which not known.
std::string to_text(const std::vector<RunPlan>& plans, const std::vector<bool>& complete,
                    const CostTable& table);

}  // namespace lrid::train
