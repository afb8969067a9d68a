#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>

namespace lrid::train {

/// How the learning rate goes along a run (learning-rules.md, "Schedules"): a linear rise from 0, then a
/// drop by `factor` at each of `drops`. Positions are shares of the run or epochs, as `unit` says.
struct Schedule {
  std::string unit = "fraction";
  double warmup = 0.05;
  std::vector<double> drops = {0.3, 0.6, 0.8};
  double factor = 0.1;

  /// Declares and reads `[schedule]`; InputError where the warm-up reaches past the first drop or drops do
  /// not ascend.
  void declare(Options& options);

  /// Learning rate relative to its base at a step (0 at step 0 of a warm-up): evaluated at every step, with
  /// `steps` steps in the run and `steps_per_epoch` in an epoch.
  [[nodiscard]] double factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const;
};

}  // namespace lrid::train
