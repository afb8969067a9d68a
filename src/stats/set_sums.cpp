#include "set_sums.hpp"

#include <algorithm>
#include <limits>

namespace lrid::stats {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Powers = plain::PowerSums<double>;
using Central = plain::CentralSums<double>;

/// Mean of d, d², d³, d⁴ where d is the distance from a centre.
struct Moments {
  double first = 0, second = 0, third = 0, fourth = 0;
};

/// The seven statistics from moments about `centre` and order statistics, all of values times 2^−exponent.
std::array<double, Distribution::statistic_count> statistics_of(const Moments& m, double centre, double norm,
                                                                double median, double third_quartile,
                                                                int exponent) {
  // About the true mean, centre + m.first (Chan, Golub & LeVeque 1983).
  const double shift = m.first;
  const double variance = std::max(0.0, m.second - shift * shift);
  const double fourth =
      m.fourth - 4 * shift * m.third + 6 * shift * shift * m.second - 3 * shift * shift * shift * shift;
  const double mean = centre + shift;
  const double skew = variance > 0 ? 3 * ((centre - median) + shift) / std::sqrt(variance) : nan;
  const double kurtosis = variance > 0 ? fourth / (variance * variance) : nan;
  return {std::ldexp(norm, exponent),
          std::ldexp(mean, exponent),
          std::ldexp(variance, 2 * exponent),
          std::ldexp(median, exponent),
          std::ldexp(third_quartile, exponent),
          skew,
          kurtosis};
}

/// IEEE arithmetic as in the definitions, where ∞ − ∞ spoils all central moments.
Distribution of_infinite(const SetSums& set) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double mean = set.powers[Powers::p1] / set.n;
  const auto [median, third, median_abs, third_abs] = set.order;
  return {{{{infinity, mean, nan, median, third, nan, nan},
            {infinity, infinity, nan, median_abs, third_abs, nan, nan},
            {infinity, infinity, nan, median_abs * median_abs, third_abs * third_abs, nan, nan}}}};
}

}  // namespace

Distribution distribution_of(SetSums set) {
  Distribution result;
  // A sum of absolute values is NaN only through a NaN.
  if (set.n == 0 || std::isnan(set.powers[Powers::a1])) {
    for (auto& function : result.values) function.fill(nan);
    return result;
  }
  if (std::isinf(set.low) || std::isinf(set.high)) return of_infinite(set);

  Moments raw, absolute, square;  // about the centres
  if (set.low == set.high) {
    const int now = set.exponent;
    set.exponent = exponent_to_scale_by(std::abs(set.low));
    const double value = std::ldexp(set.low, set.exponent - now);
    set.centres = {value, std::abs(value), value * value};
  } else if (set.with_central) {
    const auto moments = [&](int function) -> Moments {
      const auto mean = [&](int k) { return set.central[function + k] / set.n; };
      return {mean(0), mean(1), mean(2), mean(3)};
    };
    raw = moments(Central::raw);
    absolute = moments(Central::absolute);
    square = moments(Central::square);
  } else {
    const auto mean = [&](int power) { return set.powers[power] / set.n; };
    set.centres = {0, 0, 0};
    raw = {mean(Powers::p1), mean(Powers::p2), mean(Powers::p3), mean(Powers::p4)};
    absolute = {mean(Powers::a1), raw.second, mean(Powers::a3), raw.fourth};
    square = {raw.second, raw.fourth, mean(Powers::p6), mean(Powers::p8)};
  }

  const double mean_square = set.centres.square + square.first;
  const double norm = std::sqrt(set.n * mean_square);
  const double norm_square =
      std::sqrt(set.n * (square.second - square.first * square.first + mean_square * mean_square));
  for (double& order : set.order) order = std::ldexp(order, set.exponent);
  const auto [median, third, median_abs, third_abs] = set.order;
  result.values[0] = statistics_of(raw, set.centres.raw, norm, median, third, -set.exponent);
  result.values[1] = set.low >= 0 ? result.values[0]
                                  : statistics_of(absolute, set.centres.absolute, norm, median_abs, third_abs,
                                                  -set.exponent);
  result.values[2] = statistics_of(square, set.centres.square, norm_square, median_abs * median_abs,
                                   third_abs * third_abs, -2 * set.exponent);
  return result;
}

}  // namespace lrid::stats
