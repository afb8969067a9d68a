#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lrid::stats {

/// Order statistics of a set and of its absolute values.
struct OrderStatistics {
  double median, third_quartile, median_abs, third_quartile_abs;
};

/// Reused memory.
template <class Bits>
struct SelectionBuffers {
  std::vector<std::uint32_t> histogram;
  std::vector<std::uint8_t> wanted;
  std::vector<Bits> candidates, list;
};

/// Index from above in a set of n values, sorted: round_half_even((n−1)(1−q)).
std::size_t descending_index(std::size_t n, double q);

/// No NaN among the values; n ≥ 1. `negative`: whether any value is below 0.
OrderStatistics order_statistics(std::span<const float> values, bool negative,
                                 SelectionBuffers<std::uint32_t>& buffers);
OrderStatistics order_statistics(std::span<const double> values, bool negative,
                                 SelectionBuffers<std::uint64_t>& buffers);

}  // namespace lrid::stats
