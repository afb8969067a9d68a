// Sums from which a set's statistics are computed, and which of them the next pass has to add up: one source
// for the host and for CUDA.
#pragma once

#include <cmath>

#include <lrid/core/host_device.hpp>
#include <lrid/stats/distribution.hpp>

#include "formulas-inl.hpp"
#include "kernels.hpp"

namespace lrid::stats {

/// Sums that a pass adds up.
enum class Sums { powers, central, none };

/// Sums over a set, and its order statistics.
struct SetSums {
  double n = 0;
  int exponent = 0;  ///< all but the order statistics are of values times 2^exponent
  double low = 0, high = 0;
  double powers[plain::PowerSums<double>::count] = {};
  bool with_central = false;  ///< `central`, about `centres`, is what counts
  Centres centres{};
  double central[plain::CentralSums<double>::count] = {};
  double order[4] = {};  ///< median, third quartile; of absolute values: median, third quartile
};

/// The statistics; all NaN where there was a NaN or nothing.
Distribution distribution_of(SetSums set);

/// Power sums about 0 lose digits with κ² = 1 + mean²/variance; up to here they may.
inline constexpr double largest_condition = 8;

/// Eighth powers and fourth powers of their differences stay far inside float64's range if values do not go
/// beyond 2^±60; otherwise the power of two that brings the largest to 1.
LRID_HOST_DEVICE int exponent_to_scale_by(double largest) {
  if (largest == 0 || !(largest <= 1.7976931348623157e308)) return 0;
  const int exponent = ilogb(largest);
  if (exponent >= -60 && exponent <= 60) return 0;
  return exponent < -1000 ? 1000 : exponent > 1000 ? -1000 : -exponent;
}

/// After a pass that added up `done`: what the next one has to, with `exponent` and `centres` set for it.
LRID_HOST_DEVICE Sums next_sums(SetSums& set, Sums done) {
  using Powers = plain::PowerSums<double>;
  const bool trivial = set.low == set.high || std::isinf(set.low) || std::isinf(set.high);
  if (done != Sums::powers || trivial) return Sums::none;
  if (set.exponent == 0) {
    set.exponent = exponent_to_scale_by(set.high > -set.low ? set.high : -set.low);
    if (set.exponent != 0) return Sums::powers;
  }
  const double p1 = set.powers[Powers::p1] / set.n, p2 = set.powers[Powers::p2] / set.n,
               p4 = set.powers[Powers::p4] / set.n, a1 = set.powers[Powers::a1] / set.n;
  const bool raw = (p2 - p1 * p1) * largest_condition >= p2;
  const bool absolute = set.low >= 0 || (p2 - a1 * a1) * largest_condition >= p2;
  const bool square = (p4 - p2 * p2) * largest_condition >= p4;
  if (raw && absolute && square) return Sums::none;
  set.centres = {p1, a1, p2};
  set.with_central = true;
  return Sums::central;
}

}  // namespace lrid::stats
