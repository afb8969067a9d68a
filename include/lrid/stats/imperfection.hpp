#pragma once

#include <cstdint>
#include <vector>

#include <lrid/stats/view.hpp>

namespace lrid::stats {

/// An imperfect measurement (observables.md, "Imperfect measurement"): noise N(0, σ²) on every value, and
/// only ⌈f·n⌉ of n units seen. The default is perfect.
struct Imperfection {
  double unit_fraction = 1.0;  ///< f, in (0, 1]
  double noise = 0.0;          ///< σ ≥ 0, in units of the measured quantity
  std::uint64_t seed = 0;

  [[nodiscard]] bool perfect() const { return unit_fraction == 1.0 && noise == 0.0; }
  bool operator==(const Imperfection&) const = default;
  /// InputError if out of range.
  void validate() const;
};

/// ⌈f·n⌉, at least 1 of any; what rounding adds to f·n (0.07·100 = 7.000000000000001) does not count.
std::int64_t kept_count(std::int64_t n, double unit_fraction);

/// Rank of each of n units, in memory order, in the keyed permutation of the canonical ones: the units kept
/// of a fraction f are those of rank < kept_count(n, f). So a smaller fraction keeps a subset of a larger
/// one's, and the choice depends on nothing but n and the seed. InputError for n ≥ 2³².
std::vector<std::uint32_t> unit_ranks(std::int64_t n, std::uint64_t seed, const UnitOrder& order = {});

}  // namespace lrid::stats
