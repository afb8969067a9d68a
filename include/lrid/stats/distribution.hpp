#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <lrid/stats/observable.hpp>

namespace lrid::stats {

/// The seven statistics of a set of n values v, of their absolute values and of their squares:
///
///   norm √Σv² · mean μ · variance mean of (v−μ)² · median and third quartile: order statistics without
///   interpolation, index round_half_even((n−1)(1−q)) of the descending order · skew 3(μ−median)/√var
///   (Pearson's second coefficient) · kurtosis mean of (v−μ)⁴ / var² (not excess).
///
/// Where the variance is 0, skew and kurtosis are NaN. A NaN among the values makes everything NaN, as does
/// an empty set. With an infinity among them, what is not defined (variance, skew, kurtosis; the mean of
/// infinities of both signs) is NaN, the rest as IEEE arithmetic has it.
///
/// Hand-worked: v = 1, 2, 3, 10 has mean 4, variance 12.5, median 2 (index round(1.5) = 2 from
/// above, half to even), third quartile 3 (index round(0.75) = 1), skew 3·(4−2)/√12.5 = 1.6971, kurtosis
/// (81+16+1+1296)/4/156.25 = 2.2304.
struct Distribution {
  static constexpr int function_count = 3, statistic_count = 7;
  /// [raw, absolute, square][norm … kurtosis], in the order of Function and Statistic.
  std::array<std::array<double, statistic_count>, function_count> values;

  [[nodiscard]] double operator()(Function function, Statistic statistic) const {
    return values[static_cast<std::size_t>(function)][static_cast<std::size_t>(statistic)];
  }
};

/// Working memory of `describe`, reused from call to call; one per thread.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  struct Buffers;
  Buffers& buffers() { return *buffers_; }

 private:
  std::unique_ptr<Buffers> buffers_;
};

/// The statistics of one set, in mostly one pass.
///
/// Moments: sums of powers of v and |v| in float64 give those of all three functions. Such sums lose digits
/// where the mean is large against the spread: with κ² = 1 + mean²/variance, u = 2⁻⁵³ and n additions in a
/// row, the variance has a relative error of up to n·u·κ², the kurtosis of up to 110·n·u·κ⁴. They are used
/// where κ² ≤ 8 for each of the functions. Otherwise a second pass adds up powers of the distance from the
/// mean that the first has found, and moments about the true mean follow from these (Chan, Golub & LeVeque
/// 1983, "Algorithms for Computing the Sample Variance", the corrected two-pass algorithm; relative error
/// n·u·(1 + n·u·κ²)). Sums run in eight lanes over blocks of 4,096, so n above is to be read as
/// 512 + n/4096. Data so large or small that eighth powers leave float64's range are scaled by a power of two
/// first. The bits do not depend on the vector unit of the machine.
///
/// Order statistics: exact. The quantiles of a sample say between which values they must lie (Floyd & Rivest
/// 1975, "Expected time bounds for selection"); the pass over the data counts what is below and collects what
/// is between, from which they are selected. Raw and absolute values share the pass. Where the sample misled,
/// another pass looks further.
Distribution describe(std::span<const float> values, Scratch& scratch);
Distribution describe(std::span<const double> values, Scratch& scratch);

/// Mean of g, of |g| and of g²: the layer-wise change, from its value for each stimulus.
std::array<double, 3> layer_change_statistics(std::span<const double> g);

}  // namespace lrid::stats
