#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

// How many networks train side by side on one device, on the same batches. A network's bits do not depend on
// it; its speed does.

namespace lrid::cost {

/// Networks of a plan's kind whose memory (network_bytes) fits into `memory_share` of the plan's device while
/// `jobs` cohorts share it; at least 1.
std::int64_t networks_that_fit(const train::RunPlan& plan, const tasks::TaskShape& shape, double memory_share,
                               int jobs);

struct MeasuredCohort {
  std::int64_t networks = 1;
  double step_seconds = 0;  ///< of a step of all of them, divided by their number
};

/// The fastest cohort: one network, doubled as long as that makes at least 5 % more network-steps a second
/// and there are at most `most`. `measure(n)` gives the step_seconds of n networks, nothing where they do not
/// fit after all; `alone` is measure(1).
MeasuredCohort fastest_cohort(double alone, std::int64_t most,
                              const std::function<std::optional<double>(std::int64_t networks)>& measure);

}  // namespace lrid::cost
