#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// What one kind of network takes on a machine, measured on a few steps and one trajectory point of it.
struct Cost {
  std::string architecture, task, learning_rule, precision;
  std::int64_t batch_size = 0;
  std::string data;  ///< the task's options, which decide how long an epoch and a point are
  std::int64_t training_samples = 0;
  double step_seconds = 0;         ///< one network alone, with `threads` of the table
  double images_per_second = 0;    ///< of one network alone; two views of an image count once
  std::int64_t cohort = 1;         ///< networks side by side, as many as were fastest (cost/cohort_size.hpp)
  double cohort_step_seconds = 0;  ///< a step of all of them, divided by their number
  double point_seconds = 0;        ///< a trajectory point: validation, probe set, statistics
  std::int64_t memory_bytes = 0;   ///< peak, beyond the data that all networks share
  std::int64_t layers = 0;         ///< observed
  std::int64_t network_bytes = 0;  ///< parameters and buffers: a checkpoint
  /// What a step must take (StepRoofline) and the device's best a second (DevicePeak); 0: not known.
  double step_flops = 0, step_bytes = 0, peak_flops = 0, peak_bytes = 0;
  /// The roofline's time as a fraction of a step's: one network alone, and in the cohort. 0: not known.
  double roofline_share = 0, cohort_roofline_share = 0;
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

/// The table for people: a line for each kind with its times, the fraction of the roofline that it reaches
/// and which of flops and bytes that is; then the device with its peaks. At most 100 columns with the names
/// that lrid has.
std::string to_text(const CostTable& table);

/// A cost with the fields that name the plan's kind, all else 0.
Cost kind_of(const train::RunPlan& plan);
/// Whether two costs are of one kind: architecture, task, learning rule, precision, batch size and data.
bool same_kind(const Cost& a, const Cost& b);

/// Networks side by side at which a plan's kind trains fastest; nothing where the table does not have
/// exactly this kind, or is of a GPU and the plan is not, or the reverse. As sweep::RunnerOptions::best_cohort.
std::optional<std::int64_t> best_cohort(const train::RunPlan& plan, const CostTable& table);

}  // namespace lrid::cost
