#include <lrid/observe/observer_options.hpp>

namespace lrid::observe {

void ObserverOptions::declare(Options& options) {
  std::string noise_unit = name_of(grid.noise_unit),
              subsets = grid.subsets_per_network ? "network" : "shared";
  auto seed = static_cast<std::int64_t>(grid.seed);
  options.add("observe.layer_change_kernel", layer_change_kernel, Accepts::one_of({"forward", "as-study"}),
              "kernel of the layer-wise activity change: W for all rules, or B where a rule has one");
  options.add("probe.unit_fraction", grid.unit_fraction, {.low = 0, .high = 1, .low_open = true},
              "also measure only these fractions of the units, at each noise of probe.noise");
  options.add(
      "probe.units", grid.units, Accepts::at_least(1),
      "also measure only so many units of a layer (all if it has fewer), at each noise of probe.noise");
  options.add("probe.noise", grid.noise, Accepts::at_least(0),
              "also measure with Gaussian noise of these standard deviations, for each choice of units");
  options.add(
      "probe.noise_unit", noise_unit, Accepts::one_of({"absolute", "relative"}),
      "what probe.noise counts in: the measured quantity, or standard deviations of the layer's weights "
      "or of its activations to the stimulus");
  options.add("probe.subsets", subsets, Accepts::one_of({"shared", "network"}),
              "which units are seen: the same of all layers of one size, or drawn anew for each network");
  options.add("probe.imperfect_seed", seed, Accepts::at_least(0), "draws units and noise");
  grid.noise_unit = stats::noise_unit_of(noise_unit);
  grid.subsets_per_network = subsets == "network";
  grid.seed = static_cast<std::uint64_t>(seed);
}

ObserverOptions ObserverOptions::read(const Config& config) {
  Options options(config);
  ObserverOptions result;
  result.declare(options);
  return result;
}

std::vector<stats::Imperfection> ObserverOptions::measurements(std::uint64_t network) const {
  std::vector<stats::Imperfection> measurements = {stats::Imperfection{}};
  if (grid.empty()) return measurements;
  const std::vector<stats::Imperfection> imperfect = grid.measurements(network);
  measurements.insert(measurements.end(), imperfect.begin(), imperfect.end());
  return measurements;
}

}  // namespace lrid::observe
