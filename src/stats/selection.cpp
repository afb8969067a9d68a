#include "selection.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace lrid::stats {

namespace {

constexpr int digit_bits = 12;
constexpr std::size_t bin_count = std::size_t{1} << digit_bits;
/// Below this many values the histogram costs more than it saves.
constexpr std::size_t small_set = 2048;

template <class Bits>
using FloatOf = std::conditional_t<sizeof(Bits) == 4, float, double>;

/// Bits as integers that sort like the values: negative ones reversed, below the positive ones.
template <class Bits>
struct Ordered {
  static constexpr int width = 8 * static_cast<int>(sizeof(Bits));
  static constexpr Bits sign = Bits{1} << (width - 1);

  static Bits from(FloatOf<Bits> value) {
    const auto bits = std::bit_cast<Bits>(value);
    return bits ^ ((Bits{0} - (bits >> (width - 1))) | sign);
  }
  static FloatOf<Bits> to(Bits key) {
    return std::bit_cast<FloatOf<Bits>>((key & sign) != 0 ? key ^ sign : static_cast<Bits>(~key));
  }
  /// Key of the absolute value.
  static Bits absolute(Bits key) { return (key & sign) != 0 ? key : static_cast<Bits>(~key); }
  static std::size_t bin(Bits key) { return static_cast<std::size_t>(key >> (width - digit_bits)); }
};

/// Where an order statistic lies: its bin, how many of that bin are below it, how many the bin holds.
struct Place {
  std::size_t bin = 0, rank = 0, size = 0;
};

/// `count(bin)` for bins in ascending order from `first` on; `rank` from below.
template <class Count>
Place find(std::size_t rank, std::size_t first, const Count& count) {
  for (std::size_t bin = first;; ++bin) {
    const std::size_t size = count(bin);
    if (rank < size) return {bin, rank, size};
    rank -= size;
  }
}

/// Rank `rank` from below of a list that may be reordered.
template <class Bits>
Bits select(std::vector<Bits>& list, std::size_t rank) {
  const auto [low, high] = std::ranges::minmax(list);
  if (low == high) return low;  // many equal values, such as the zeros behind a ReLU
  const auto at = list.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(list.begin(), at, list.end());
  return *at;
}

/// Median and third quartile of a small list.
template <class Bits>
std::pair<Bits, Bits> select_both(std::vector<Bits>& list, std::size_t median, std::size_t third_quartile) {
  const auto begin = list.begin();
  const auto at_median = begin + static_cast<std::ptrdiff_t>(median);
  const auto at_third = begin + static_cast<std::ptrdiff_t>(third_quartile);
  std::nth_element(begin, at_median, list.end());
  if (at_third > at_median) std::nth_element(at_median + 1, at_third, list.end());
  return {*at_median, *at_third};
}

template <class Bits>
OrderStatistics order_statistics_of(std::span<const FloatOf<Bits>> values, bool negative,
                                    SelectionBuffers<Bits>& buffers) {
  using Order = Ordered<Bits>;
  const std::size_t n = values.size();
  // Ranks from below: the third quartile's is never under the median's.
  const std::size_t median = n - 1 - descending_index(n, 0.5), third = n - 1 - descending_index(n, 0.75);
  const auto value = [](Bits key) { return static_cast<double>(Order::to(key)); };

  if (n < small_set || n > std::numeric_limits<std::uint32_t>::max()) {
    std::vector<Bits>& list = buffers.list;
    list.resize(n);
    std::ranges::transform(values, list.begin(), Order::from);
    const auto [raw_median, raw_third] = select_both(list, median, third);
    if (!negative) return {value(raw_median), value(raw_third), value(raw_median), value(raw_third)};
    std::ranges::transform(list, list.begin(), Order::absolute);
    const auto [abs_median, abs_third] = select_both(list, median, third);
    return {value(raw_median), value(raw_third), value(abs_median), value(abs_third)};
  }

  // Two histograms in turn, so that equal neighbours do not wait for each other's increment.
  std::vector<std::uint32_t>& histogram = buffers.histogram;
  histogram.assign(2 * bin_count, 0);
  std::uint32_t* const even = histogram.data();
  std::uint32_t* const odd = even + bin_count;
  std::size_t i = 0;
  for (; i + 1 < n; i += 2) {
    ++even[Order::bin(Order::from(values[i]))];
    ++odd[Order::bin(Order::from(values[i + 1]))];
  }
  if (i < n) ++even[Order::bin(Order::from(values[i]))];
  for (std::size_t bin = 0; bin < bin_count; ++bin) even[bin] += odd[bin];

  // The bin of a negative value's key mirrors that of its absolute value.
  const auto raw_count = [&](std::size_t bin) { return std::size_t{even[bin]}; };
  const auto abs_count = [&](std::size_t bin) { return std::size_t{even[bin]} + even[bin_count - 1 - bin]; };
  const Place places[] = {find(median, 0, raw_count), find(third, 0, raw_count),
                          find(median, bin_count / 2, abs_count), find(third, bin_count / 2, abs_count)};

  std::vector<std::uint8_t>& wanted = buffers.wanted;
  wanted.assign(bin_count, 0);
  wanted[places[0].bin] = wanted[places[1].bin] = 1;
  if (negative)
    for (const Place& place : {places[2], places[3]})
      wanted[place.bin] = wanted[bin_count - 1 - place.bin] = 1;
  std::size_t candidate_count = 0;
  for (std::size_t bin = 0; bin < bin_count; ++bin) candidate_count += wanted[bin] != 0 ? even[bin] : 0;

  // Writes without branching, hence one past what is kept.
  std::vector<Bits>& candidates = buffers.candidates;
  candidates.resize(candidate_count + 1);
  Bits* out = candidates.data();
  for (const FloatOf<Bits> v : values) {
    const Bits key = Order::from(v);
    *out = key;
    out += wanted[Order::bin(key)];
  }
  candidates.resize(candidate_count);

  const auto at = [&](const Place& place, bool absolute) {
    std::vector<Bits>& list = buffers.list;
    list.resize(place.size + 1);
    Bits* end = list.data();
    for (Bits key : candidates) {
      if (absolute) key = Order::absolute(key);
      *end = key;
      end += Order::bin(key) == place.bin;
    }
    list.resize(place.size);
    return value(select(list, place.rank));
  };
  const double raw_median = at(places[0], false), raw_third = at(places[1], false);
  if (!negative) return {raw_median, raw_third, raw_median, raw_third};
  return {raw_median, raw_third, at(places[2], true), at(places[3], true)};
}

}  // namespace

std::size_t descending_index(std::size_t n, double q) {
  return static_cast<std::size_t>(std::nearbyint(static_cast<double>(n - 1) * (1 - q)));  // ties to even
}

OrderStatistics order_statistics(std::span<const float> values, bool negative,
                                 SelectionBuffers<std::uint32_t>& buffers) {
  return order_statistics_of<std::uint32_t>(values, negative, buffers);
}

OrderStatistics order_statistics(std::span<const double> values, bool negative,
                                 SelectionBuffers<std::uint64_t>& buffers) {
  return order_statistics_of<std::uint64_t>(values, negative, buffers);
}

}  // namespace lrid::stats
