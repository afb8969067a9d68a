#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <lrid/stats/distribution.hpp>

namespace lrid::stats::reference {

/// The seven statistics, word for word as observables.md defines them, in long double.
inline std::array<double, 7> seven(const std::vector<long double>& v) {
  const auto n = static_cast<long double>(v.size());
  long double squares = 0, sum = 0;
  for (const long double x : v) squares += x * x, sum += x - v[0];  // even long double minds a large mean
  const long double mean = v[0] + sum / n;
  long double variance = 0, fourth = 0;
  for (const long double x : v) variance += (x - mean) * (x - mean);
  variance /= n;
  for (const long double x : v) fourth += std::pow(x - mean, 4.0L);
  fourth /= n;
  std::vector<long double> sorted = v;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const auto order = [&](double q) {
    return sorted[static_cast<std::size_t>(std::nearbyint(static_cast<double>(v.size() - 1) * (1 - q)))];
  };
  const long double median = order(0.5);
  const bool constant = sorted.front() == sorted.back();  // then rounding must not pretend otherwise
  const long double nan = std::numeric_limits<long double>::quiet_NaN();
  const long double skew = constant ? nan : 3 * (mean - median) / std::sqrt(variance);
  const long double kurtosis = constant ? nan : fourth / (variance * variance);
  const auto d = [](long double x) { return static_cast<double>(x); };
  return {d(std::sqrt(squares)),
          d(mean),
          constant ? 0 : d(variance),
          d(median),
          d(order(0.75)),
          d(skew),
          d(kurtosis)};
}

template <class T>
Distribution describe(const std::vector<T>& values) {
  std::vector<long double> raw(values.begin(), values.end()), absolute = raw, square = raw;
  for (long double& x : absolute) x = std::abs(x);
  for (long double& x : square) x *= x;
  return {{{seven(raw), seven(absolute), seven(square)}}};
}

}  // namespace lrid::stats::reference
