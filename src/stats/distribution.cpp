#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/stats/distribution.hpp>

#include "kernels.hpp"
#include "selection.hpp"

namespace lrid::stats {

struct Scratch::Buffers {
  SelectionBuffers<std::uint32_t> single;
  SelectionBuffers<std::uint64_t> wide;
};

Scratch::Scratch() : buffers_(std::make_unique<Buffers>()) {}
Scratch::~Scratch() = default;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

SelectionBuffers<std::uint32_t>& selection_buffers(Scratch& scratch, float) {
  return scratch.buffers().single;
}
SelectionBuffers<std::uint64_t>& selection_buffers(Scratch& scratch, double) {
  return scratch.buffers().wide;
}

/// Eighth powers and fourth powers of their differences stay far inside float64's range if values do not go
/// beyond 2^±60; otherwise the power of two that brings the largest to 1.
int exponent_to_scale_by(double largest) {
  if (largest == 0 || !std::isfinite(largest)) return 0;
  const int exponent = std::ilogb(largest);
  return std::abs(exponent) <= 60 ? 0 : std::clamp(-exponent, -1000, 1000);
}

/// The seven statistics from moments about `centre` and order statistics, all of values times 2^−exponent.
std::array<double, Distribution::statistic_count> finish(const Moments& m, double centre, double norm,
                                                         double median, double third_quartile, int exponent) {
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

/// A set with an infinity: IEEE arithmetic as in the definitions, where ∞ − ∞ spoils all central moments.
Distribution describe_infinite(const Overview& o, double n, const OrderStatistics& order) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double third2 = order.third_quartile_abs * order.third_quartile_abs;
  return {{{{infinity, o.sum / n, nan, order.median, order.third_quartile, nan, nan},
            {infinity, infinity, nan, order.median_abs, order.third_quartile_abs, nan, nan},
            {infinity, infinity, nan, order.median_abs * order.median_abs, third2, nan, nan}}}};
}

template <class T>
Distribution describe_values(std::span<const T> values, Scratch& scratch) {
  Distribution result;
  for (auto& function : result.values) function.fill(nan);
  if (values.empty()) return result;

  const T* data = values.data();
  const std::size_t size = values.size();
  Overview o = overview(data, size, 1.0);
  // |v| overflows only where a scale helps; a sum of absolute values is NaN only through a NaN.
  if (std::isnan(o.sum_abs)) return result;

  const bool negative = o.low < 0;
  const int exponent = exponent_to_scale_by(std::max(o.high, -o.low));
  const double scale = std::ldexp(1.0, exponent);
  if (exponent != 0) o = overview(data, size, scale);

  const auto n = static_cast<double>(size);
  OrderStatistics order = order_statistics(values, negative, selection_buffers(scratch, T{}));
  if (std::isinf(o.high) || std::isinf(o.low)) return describe_infinite(o, n, order);
  for (double* statistic :
       {&order.median, &order.third_quartile, &order.median_abs, &order.third_quartile_abs})
    *statistic *= scale;

  // Of a constant set the centre is off by a few units in the last place at most. Multiples of that unit have
  // exact squares and sums, so the moments about the true mean, and with them the variance, are exactly 0.
  const Centres centres{.raw = o.sum / n, .absolute = o.sum_abs / n, .square = o.sum_square / n};
  const AllMoments m = moments(data, size, scale, centres, negative);

  const double mean_square = centres.square + m.square.first;
  const double norm = std::sqrt(n * mean_square);
  const double norm_square =
      std::sqrt(n * (m.square.second - m.square.first * m.square.first + mean_square * mean_square));
  result.values[0] = finish(m.raw, centres.raw, norm, order.median, order.third_quartile, -exponent);
  result.values[1] = !negative ? result.values[0]
                               : finish(m.absolute, centres.absolute, norm, order.median_abs,
                                        order.third_quartile_abs, -exponent);
  result.values[2] = finish(m.square, centres.square, norm_square, order.median_abs * order.median_abs,
                            order.third_quartile_abs * order.third_quartile_abs, -2 * exponent);
  return result;
}

}  // namespace

Distribution describe(std::span<const float> values, Scratch& scratch) {
  return describe_values(values, scratch);
}
Distribution describe(std::span<const double> values, Scratch& scratch) {
  return describe_values(values, scratch);
}

std::array<double, 3> layer_change_statistics(std::span<const double> g) {
  if (g.empty()) return {nan, nan, nan};
  std::array<double, 3> sums{};
  for (const double value : g) {
    sums[0] += value;
    sums[1] += std::abs(value);
    sums[2] += value * value;
  }
  for (double& sum : sums) sum /= static_cast<double>(g.size());
  return sums;
}

}  // namespace lrid::stats
