#include <algorithm>

#include <lrid/cost/cohort_size.hpp>
#include <lrid/cost/memory.hpp>

namespace lrid::cost {

std::int64_t networks_that_fit(const train::RunPlan& plan, const tasks::TaskShape& shape, double memory_share,
                               int jobs) {
  const double room = memory_share * static_cast<double>(plan.config.compute.memory()) / jobs;
  return static_cast<std::int64_t>(
      std::max(1.0, room / static_cast<double>(network_bytes(plan, shape).total())));
}

MeasuredCohort fastest_cohort(double alone, std::int64_t most,
                              const std::function<std::optional<double>(std::int64_t networks)>& measure) {
  constexpr double worthwhile = 1.05;
  MeasuredCohort fastest{1, alone};
  while (2 * fastest.networks <= most) {
    const std::optional<double> doubled = measure(2 * fastest.networks);
    if (!doubled || *doubled * worthwhile > fastest.step_seconds) break;
    fastest = {2 * fastest.networks, *doubled};
  }
  return fastest;
}

}  // namespace lrid::cost
