#pragma once

#include <filesystem>
#include <vector>

#include <lrid/cost/cost_table.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::cost {

/// On what data costs are measured, and how large cohorts may get.
struct BenchmarkOptions {
  std::filesystem::path data_dir;
  int jobs = 1;               ///< cohorts that will share the device
  int cohort = 0;             ///< networks to measure side by side, 0: find the fastest number
  double memory_share = 0.5;  ///< of the device's memory, that a cohort may take
};

/// Measures each kind of network among the plans that `known` does not have, one after the other, with
/// progress; loads the data. Cohorts: `options.cohort` networks where that is set (kinds that are known with
/// another number are measured again), otherwise on a GPU the fastest number that memory allows, and on a
/// processor, where the networks of a cohort take turns, one. InputError if `known` is of another device.
CostTable measure_costs(const std::vector<train::RunPlan>& plans, const BenchmarkOptions& options,
                        const train::MakeCallback& make_callback, CostTable known = {});

}  // namespace lrid::cost
