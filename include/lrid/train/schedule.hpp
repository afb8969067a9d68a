#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>

namespace lrid::train {

/// Learning-rate schedule of a run (learning-rules.md, "Schedules"): a linear warm-up from 0, then a drop by
/// `factor` at each of `drops`. Positions are fractions of the run or epochs, according to `unit`.
///
/// Rules with layer-wise losses may alternate them with the task loss (tasks.md, "Loss rates"): first a delay
/// in which layer-wise losses alone are descended, and from whose end positions are counted; then, with
/// `alternate` = k, one step of layer-wise losses alone and k of the task loss alone, over and over, and
/// positions in epochs (k + 1) times as far away.
struct Schedule {
  std::string unit = "fraction";
  double warmup = 0.05;
  std::vector<double> drops = {0.3, 0.6, 0.8};
  double factor = 0.1;
  double delay = 0;
  std::int64_t alternate = 0;  ///< 0: both losses in every step

  /// Declares and reads `[schedule]`; InputError where the warm-up reaches past the first drop or drops do
  /// not ascend.
  void declare(Options& options);

  /// Learning rate relative to its base at a step (0 at step 0 of a warm-up): evaluated at every step, with
  /// `steps` steps in the run and `steps_per_epoch` in an epoch.
  [[nodiscard]] double factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const;
  /// The same without the warm-up.
  [[nodiscard]] double drop_factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const;

  /// Losses that a step descends.
  struct Losses {
    bool task = true, layerwise = true;
    std::int64_t layerwise_rests = 0;  ///< earlier steps that did not descend the layer-wise losses
  };
  [[nodiscard]] Losses losses_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const;

 private:
  [[nodiscard]] std::int64_t delay_steps(std::int64_t steps, double steps_per_epoch) const;
  /// In `unit`, from the end of the delay.
  [[nodiscard]] double position(std::int64_t step, std::int64_t steps, double steps_per_epoch) const;
  [[nodiscard]] double drops_to(double position) const;
};

}  // namespace lrid::train
