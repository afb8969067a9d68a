#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lrid/cost/cost_table.hpp>
#include <lrid/train/device_time.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// What a run will take.
struct Estimate {
  train::DeviceTime time;             ///< its share of what its cohort takes
  double seconds_alone = 0;           ///< from beginning to end, if it trains alone
  std::int64_t cohort = 1;            ///< as Cost
  std::int64_t memory_bytes = 0;      ///< as Cost
  std::int64_t trajectory_bytes = 0;  ///< file, about
  std::int64_t checkpoint_bytes = 0;  ///< in it besides, where all points are kept
  bool extrapolated = false;          ///< from another batch size or learning rule: times and activations in
                                      ///< proportion to the batch
};
/// Nothing if the table has no network of this architecture, task, data and precision.
std::optional<Estimate> estimate(const train::RunPlan& plan, const CostTable& table);

/// What a sweep will take: a line for each network, one for each architecture and task with device time,
/// memory and disk of what is not `complete` yet (one flag a plan), and their sum; which of it is
/// extrapolated, which not known.
std::string to_text(const std::vector<train::RunPlan>& plans, const std::vector<bool>& complete,
                    const CostTable& table);

}  // namespace lrid::cost
