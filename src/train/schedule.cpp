#include <algorithm>

#include <lrid/train/schedule.hpp>

namespace lrid::train {

void Schedule::declare(Options& options) {
  options.add("schedule.unit", unit, Accepts::one_of({"fraction", "epochs"}),
              "what warmup and drops count: shares of the run, or epochs");
  options.add("schedule.warmup", warmup, Accepts::at_least(0), "length of the linear rise from 0");
  options.add("schedule.drops", drops, Accepts::at_least(0), "where the learning rate falls");
  options.add("schedule.factor", factor, Accepts::between(0, 1), "what it is multiplied with at each drop");
  if (!std::ranges::is_sorted(drops)) options.fail("schedule.drops", "expected ascending positions");
  if (!drops.empty() && warmup > drops.front())
    options.fail("schedule.warmup", "the warm-up reaches past the first drop, expected at most " +
                                        ConfigValue{drops.front()}.to_toml());
}

double Schedule::factor_at(std::int64_t step, std::int64_t steps, double steps_per_epoch) const {
  const double position =
      static_cast<double>(step) / (unit == "epochs" ? steps_per_epoch : static_cast<double>(steps));
  if (position < warmup) return position / warmup;
  double result = 1;
  for (const double drop : drops)
    if (position >= drop) result *= factor;
  return result;
}

}  // namespace lrid::train
