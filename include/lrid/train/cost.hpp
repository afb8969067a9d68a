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
  double images_per_second = 0;    ///< of one network alone; two views of an image count once
  std::int64_t cohort = 1;         ///< networks side by side, as many as were fastest (train/cohort.hpp)
  double cohort_step_seconds = 0;  ///< a step of all of them, divided by their number
  double point_seconds = 0;        ///< a trajectory point: validation, probe set, statistics
  std::int64_t memory_bytes = 0;   ///< peak, beyond the data that all networks share
  std::int64_t layers = 0;         ///< observed
  std::int64_t network_bytes = 0;  ///< parameters and buffers: a checkpoint
  /// What a step must take (StepFloor) and the device's best a second (DevicePeak); 0: not known.
  double step_flops = 0, step_bytes = 0, peak_flops = 0, peak_bytes = 0;
  /// The floor's time as a share of a step's: one network alone, and in the cohort. 0: not known.
  double floor_share = 0, cohort_floor_share = 0;
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

/// InputError naming the file and what is wrong with it. Tables from before there were cohorts have them of
/// one network.
CostTable read_cost_table(const std::filesystem::path& path);
void write_cost_table(const std::filesystem::path& path, const CostTable& table);

/// The table for people: a line for each kind with its times, its share of the floor and which of flops and
/// bytes that is; then the device with its peaks. At most 100 columns with the names that lrid has.
std::string to_text(const CostTable& table);

/// Measures each kind of network among the plans that `known` does not have, one after the other, with
/// progress; loads the data. Cohorts: `options.cohort` networks where that is set (kinds that are known with
/// another number are measured again), otherwise on a GPU the fastest number that memory allows, and on a
/// processor, where the networks of a cohort take turns, one. InputError if `known` is of another device.
CostTable measure_costs(const std::vector<RunPlan>& plans, const RunnerOptions& options,
                        const MakeWatcher& make_watcher, CostTable known = {});

/// Networks side by side at which a plan's kind trains fastest; nothing where the table does not have
/// exactly this kind, or is of a GPU and the plan is not, or the reverse. As RunnerOptions::best_cohort.
std::optional<std::int64_t> best_cohort(const RunPlan& plan, const CostTable& table);

/// What a run will take.
struct Estimate {
  DeviceTime time;                    ///< its share of what its cohort takes
  double seconds_alone = 0;           ///< from beginning to end, if it trains alone
  std::int64_t cohort = 1;            ///< as Cost
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
