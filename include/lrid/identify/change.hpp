#pragma once

#include <map>
#include <string>

#include <lrid/core/random.hpp>
#include <lrid/identify/metadata.hpp>
#include <lrid/io/dataset.hpp>

namespace lrid::identify {

/// Whether a network's statistics change over time at all, measure by measure.
struct ChangeTest {
  struct Measure {
    double p = 1;       ///< of the hypothesis that the points could stand in any order
    double change = 0;  ///< median over trajectories of Σ|x_{t+1} − x_t| / (|x_t| + |x_{t+1}|)
  };
  std::map<std::string, Measure> measures;  ///< by io::measure_name
  bool enough_points = false;               ///< with fewer, no order of the points is improbable

  /// True if there are enough points and no measure tells their order from chance (p ≤ α / measures).
  [[nodiscard]] bool finds_none() const;
};

/// Tests the trajectories of the admissible observables of these measures, in all layers (`rows`) of one
/// network. Statistic: the mean over trajectories of Σ(R_{t+1} − R_t)² / Σ(R_t − R̄)², R being the ranks of
/// log|x| over time (Bartels 1982, JASA 77, 40: von Neumann's ratio of ranks), small where neighbours in time
/// resemble each other. Null distribution: 999 random orders of the points, the same for all trajectories,
/// drawn from the key. Trajectories that are constant, or not finite, count for nothing.
ChangeTest test_change(const io::Dataset& data, const Rows& rows, const std::vector<std::string>& measures,
                       Key key);

/// The key for a network, so that fit() and predict() test it alike.
Key change_key(const std::string& network);

}  // namespace lrid::identify
