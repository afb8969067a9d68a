#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::observe {

/// Options of what is measured along training.
struct ObserverOptions {
  /// The kernel whose response to ones is S in the layer-wise activity change: "forward", W for every rule;
  /// "as-study", B for rules that have one (observables.md, "Which kernel").
  std::string layer_change_kernel = "forward";
  stats::ImperfectionGrid grid;  ///< empty: the perfect measurement alone

  void declare(Options& options);
  static ObserverOptions read(const Config& config);

  /// The perfect measurement, then those of the grid. `network`: hash of the network (network_hash).
  [[nodiscard]] std::vector<stats::Imperfection> measurements(std::uint64_t network) const;
};

}  // namespace lrid::observe
