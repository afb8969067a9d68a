#include <algorithm>
#include <cmath>

#include <lrid/train/schedule.hpp>

namespace lrid::train {

void Schedule::declare(Options& options) {
  options.add("schedule.unit", unit, Accepts::one_of({"fraction", "epochs"}),
              "unit of warmup and drops: fractions of the run, or epochs");
  options.add("schedule.warmup", warmup, Accepts::at_least(0), "length of the linear warm-up from 0");
  options.add("schedule.drops", drops, Accepts::at_least(0), "positions at which the learning rate drops");
  options.add("schedule.factor", factor, Accepts::between(0, 1), "factor of the learning rate at each drop");
  options.add("schedule.delay", delay, Accepts::at_least(0),
              "length of an initial phase that descends layer-wise losses alone");
  options.add("schedule.alternate", alternate, Accepts::between(0, 1 << 20),
              "k: one step of layer-wise losses alone, then k of the task loss alone; 0: both in every step");
  if (unit == "fraction" && delay >= 1)
    options.fail("schedule.delay", "is the whole run, expected a fraction below 1");
  if (!std::ranges::is_sorted(drops)) options.fail("schedule.drops", "expected ascending positions");
  if (!drops.empty() && warmup > drops.front())
    options.fail("schedule.warmup", "the warm-up reaches past the first drop, expected at most " +
                                        ConfigValue{drops.front()}.to_toml());
}

std::int64_t Schedule::delay_steps(std::int64_t steps, double steps_per_epoch) const {
  return std::llround(delay * (unit == "epochs" ? steps_per_epoch : static_cast<double>(steps)));
}

double Schedule::position(std::int64_t step, std::int64_t steps, double steps_per_epoch) const {
  const std::int64_t delayed = delay_steps(steps, steps_per_epoch);
  const auto since = static_cast<double>(std::max<std::int64_t>(step - delayed, 0));
  if (unit == "epochs") return since / (steps_per_epoch * static_cast<double>(alternate + 1));
  return since / static_cast<double>(std::max<std::int64_t>(steps - delayed, 1));
}

double Schedule::drops_to(double position) const {
  double result = 1;
  for (const double drop : drops)
    if (position >= drop) result *= factor;
  return result;
}

double Schedule::factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const {
  const double at = position(step, steps, steps_per_epoch);
  return at < warmup ? at / warmup : drops_to(at);
}

double Schedule::drop_factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const {
  return drops_to(position(step, steps, steps_per_epoch));
}

Schedule::Losses Schedule::losses_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const {
  const std::int64_t delayed = delay_steps(steps, steps_per_epoch), period = alternate + 1;
  if (step < delayed) return {.task = false, .layerwise = true};
  if (alternate == 0) return {};
  // Of the steps since the delay, those that began a period descended the layer-wise losses.
  const std::int64_t since = step - delayed;
  const bool aligns = since % period == 0;
  return {.task = !aligns, .layerwise = aligns, .layerwise_rests = since - (since + period - 1) / period};
}

}  // namespace lrid::train
