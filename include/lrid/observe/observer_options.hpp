#pragma once

#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::observe {

/// What is measured along training besides the perfect measurement, and how.
struct ObserverOptions {
  /// The kernel whose response to ones is S in the layer-wise activity change: "forward", W for every rule;
  /// "as-study", B for rules that have one (observables.md, "Which kernel").
  std::string layer_change_kernel = "forward";
  std::vector<double> unit_fraction;  ///< grid of imperfect measurement: product of fractions …
  std::vector<double> noise;          ///< … and noise standard deviations; both empty: none
  std::int64_t imperfect_seed = 0;

  void declare(Options& options);
  static ObserverOptions read(const Config& config);

  /// The perfect cell, then those of the grid.
  [[nodiscard]] std::vector<stats::Imperfection> cells() const;
};

}  // namespace lrid::observe
