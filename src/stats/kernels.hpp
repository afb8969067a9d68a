#pragma once

#include <cstddef>
#include <cstdint>

#include <lrid/stats/view.hpp>

namespace lrid::stats {

/// Sums are kept in eight lanes, whatever the vector unit has: the i-th value of a call goes to lane i mod 8.
inline constexpr std::size_t lane_count = 8;

/// PowerSums of a set so far, and its extremes.
struct PowerTotals {
  double sum[8][lane_count] = {};
  double low, high;  ///< meaningless if there is a NaN
};

/// CentralSums of a set so far.
struct CentralTotals {
  double sum[12][lane_count] = {};
};

struct Centres {
  double raw, absolute, square;
};

/// An open interval in which an order statistic is looked for.
template <class T>
struct Bracket {
  T low, high;
};

/// Where an order statistic may lie: of the values (`raw`), of their absolute values (`absolute`).
template <class T>
struct Brackets {
  Bracket<T> raw[2], absolute[2];
};

/// How many values are above the lower end of each bracket: raw, raw, absolute, absolute.
struct Above {
  std::size_t count[4] = {};
};

/// The inner loops for values of type T (float or double). Blocks may have any length; memory need not be
/// aligned.
template <class T>
struct Kernels {
  /// Adds PowerSums of values·scale (a power of two) and widens the extremes.
  void (*add_powers)(const T* values, std::size_t n, double scale, PowerTotals& totals);
  /// Adds CentralSums of values·scale.
  void (*add_central)(const T* values, std::size_t n, double scale, const Centres& centres,
                      CentralTotals& totals);
  /// Appends the values that lie in any bracket to `list` (room for n and a vector more), counts what is
  /// above the lower ends, and returns how many were appended. Absolute brackets only if `with_absolute`.
  std::size_t (*collect)(const T* values, std::size_t n, const Brackets<T>& brackets, bool with_absolute,
                         Above& above, T* list);
  /// Values in (low, high), or absolute values that are, to `out` (as `list` above); returns how many.
  std::size_t (*extract)(const T* values, std::size_t n, const Bracket<T>& bracket, bool absolute, T* out);
  /// Smallest and largest of n ≥ 1 values.
  void (*extremes)(const T* values, std::size_t n, T& low, T& high);
  /// Adds to histogram[⌊(v − low)·scale⌋]; all results lie in 0 … 255.
  void (*count_bins)(const T* values, std::size_t n, T low, T scale, std::uint32_t* histogram);
  /// Keeps the values of one such bin, in place; returns how many.
  std::size_t (*keep_bin)(T* values, std::size_t n, T low, T scale, std::uint32_t bin);
  /// Adds Σ weight_j over the j with value_j > 0, in lanes.
  void (*add_where_positive)(const T* values, const double* weights, std::size_t n, double* lanes);
  /// The values whose bit is set; `bits` starts at a byte. `out` as `list` above. Returns how many.
  std::size_t (*compress)(const T* values, const std::uint8_t* bits, std::size_t n, T* out);
  /// out = values + sd·noise, in T.
  void (*add_noise)(const T* values, const float* noise, double sd, std::size_t n, T* out);
};

/// All kernels, compiled for one vector unit.
struct KernelTable {
  Kernels<float> single;
  Kernels<double> wide;
  /// Standard normal numbers (normal_of_bits) for n units from the `begin`-th in memory on: unit with
  /// canonical index c has that of element c of the key's stream.
  void (*normals)(std::uint64_t key, const UnitOrder& order, std::size_t begin, std::size_t n, float* out);
  /// … and those of chosen elements.
  void (*normals_of)(std::uint64_t key, const std::uint32_t* elements, std::size_t n, float* out);
  void (*widen_half)(const std::uint16_t* values, std::size_t n, float* out);
  void (*widen_brain)(const std::uint16_t* values, std::size_t n, float* out);
};

/// The table for the widest vector unit of this machine.
const KernelTable& kernel_table();

template <class T>
const Kernels<T>& kernels();
template <>
inline const Kernels<float>& kernels<float>() {
  return kernel_table().single;
}
template <>
inline const Kernels<double>& kernels<double>() {
  return kernel_table().wide;
}

/// Sorts up to 256 values fast; no NaN among them.
void sort_few(float* values, std::size_t n);
void sort_few(double* values, std::size_t n);

/// Sum of the lanes, always in the same order.
inline double sum_of_lanes(const double* lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

}  // namespace lrid::stats
