#include <lrid/observe/observer_options.hpp>

namespace lrid::observe {

void ObserverOptions::declare(Options& options) {
  options.add("observe.layer_change_kernel", layer_change_kernel, Accepts::one_of({"forward", "as-study"}),
              "kernel of the layer-wise activity change: W for all rules, or B where a rule has one");
  options.add("probe.unit_fraction", unit_fraction, {.low = 0, .high = 1, .low_open = true},
              "also measure only these shares of the units, at each noise of probe.noise");
  options.add("probe.noise", noise, Accepts::at_least(0),
              "also measure with Gaussian noise of these standard deviations, at each share of the units");
  options.add("probe.imperfect_seed", imperfect_seed, Accepts::at_least(0),
              "which units and noise are drawn");
}

ObserverOptions ObserverOptions::read(const Config& config) {
  Options options(config);
  ObserverOptions result;
  result.declare(options);
  return result;
}

std::vector<stats::Imperfection> ObserverOptions::cells() const {
  std::vector<stats::Imperfection> cells = {stats::Imperfection{}};
  if (unit_fraction.empty() && noise.empty()) return cells;
  const std::vector<double> fractions = unit_fraction.empty() ? std::vector{1.0} : unit_fraction;
  const std::vector<double> noises = noise.empty() ? std::vector{0.0} : noise;
  for (const double fraction : fractions)
    for (const double sd : noises)
      cells.push_back({fraction, sd, static_cast<std::uint64_t>(imperfect_seed)});
  return cells;
}

}  // namespace lrid::observe
