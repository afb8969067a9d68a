#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <lrid/core/registry.hpp>

namespace lrid::identify {

/// A series of features computed from a trajectory, such as its increments.
struct Series {
  std::string name;        ///< in names of features: "weightabs_norm.sorted@3"; empty: "weightabs_norm@3"
  std::int64_t fewer = 0;  ///< how many values fewer than the trajectory has points
  /// Fills `features` ([points − fewer]) from a finite trajectory ([points]).
  void (*compute)(const std::vector<double>& trajectory, std::span<double> features) = nullptr;
};

/// What features a trajectory (of one sample and observable) becomes before features are standardised. Uses
/// nothing but that trajectory, so that no fold learns of another; the standardisation is fitted inside
/// folds. All series of a transform have the same length.
struct Transform {
  std::string name, summary;
  std::vector<Series> series;
  bool scale_free = false;  ///< multiplying a trajectory by a constant changes no feature

  /// How many points fewer than the trajectory each series has.
  [[nodiscard]] std::int64_t fewer() const { return series.front().fewer; }
  /// Fills `features` ([series, points − fewer()]). A value that is not finite makes all of them NaN: missing
  /// is not zero.
  void apply(std::span<const float> trajectory, std::span<float> features) const;
};

/// Every transform that `features.transform` can name; the first, "none", leaves trajectories as they are.
const Registry<Transform>& transforms();

}  // namespace lrid::identify
