#include <algorithm>
#include <cmath>
#include <utility>

#include <lrid/cost/estimate.hpp>

namespace lrid::cost {

std::optional<Estimate> estimate(const train::RunPlan& plan, const CostTable& table) {
  const Cost kind = kind_of(plan);
  const train::RunConfig& config = plan.config;
  const auto distance = [&](const Cost& cost) {
    return std::pair{
        cost.learning_rule != kind.learning_rule,
        std::abs(std::log2(static_cast<double>(cost.batch_size) / static_cast<double>(kind.batch_size)))};
  };
  const Cost* nearest = nullptr;
  for (const Cost& cost : table.costs)
    if (cost.architecture == kind.architecture && cost.task == kind.task && cost.data == kind.data &&
        cost.precision == kind.precision && (nearest == nullptr || distance(cost) < distance(*nearest)))
      nearest = &cost;
  if (nearest == nullptr) return std::nullopt;

  const double larger = static_cast<double>(kind.batch_size) / static_cast<double>(nearest->batch_size);
  const std::int64_t steps = config.steps(nearest->training_samples / config.batch_size);
  const auto points = static_cast<double>(config.points), layers = static_cast<double>(nearest->layers);
  const auto seconds = [&](double step_seconds) {
    return static_cast<double>(steps) * step_seconds * larger + points * nearest->point_seconds;
  };
  // Parameters, gradients and moments do not grow with the batch.
  const double fixed =
      std::min(static_cast<double>(nearest->memory_bytes), 3 * static_cast<double>(nearest->network_bytes));
  // Per layer 45 statistics and three of alignment in float32, per point step, epoch and four metrics; then
  // names, attributes and HDF5's own.
  constexpr double header = 20000;
  const double cores = table.gpu ? 1.0 : static_cast<double>(table.threads);
  return Estimate{.time = {seconds(nearest->cohort_step_seconds) * cores, table.gpu},
                  .seconds_alone = seconds(nearest->step_seconds),
                  .cohort = nearest->cohort,
                  .memory_bytes = static_cast<std::int64_t>(
                      fixed + (static_cast<double>(nearest->memory_bytes) - fixed) * larger),
                  .trajectory_bytes = static_cast<std::int64_t>(header + points * (layers * 48 * 4 + 6 * 8)),
                  .checkpoint_bytes = config.points * nearest->network_bytes,
                  .extrapolated = !same_kind(*nearest, kind)};
}

}  // namespace lrid::cost
