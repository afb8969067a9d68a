#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/stats/view.hpp>

namespace lrid::stats {

/// Unit of a noise level: that of the measured quantity, or standard deviations of the set that the
/// noise is added to (a layer's weights, its activations to one stimulus), taken over all of its units.
enum class NoiseUnit { absolute, relative };

/// An imperfect measurement (observables.md, "Imperfect measurement"): noise N(0, σ²) on every value, and
/// only some of the units seen. The default is perfect.
struct Imperfection {
  double unit_fraction = 1.0;  ///< f, in (0, 1]: ⌈f·n⌉ of n units are seen
  double noise = 0.0;          ///< σ ≥ 0, in `noise_unit`
  std::uint64_t seed = 0;
  std::int64_t units = 0;  ///< above 0: min(units, n) of n units are seen, whatever `unit_fraction`
  NoiseUnit noise_unit = NoiseUnit::absolute;
  /// Hash of the network that the subsets of units are drawn for; 0: the same subset for every set of n
  /// units.
  std::uint64_t network = 0;

  [[nodiscard]] bool perfect() const { return units == 0 && unit_fraction == 1.0 && noise == 0.0; }
  /// How many of n units are seen, at least 1 of any.
  [[nodiscard]] std::int64_t kept(std::int64_t n) const;
  /// Whether another measurement sees the same units of every set.
  [[nodiscard]] bool sees_the_same_units(const Imperfection& other) const;
  /// Seed of the subsets of units.
  [[nodiscard]] std::uint64_t subset_seed() const;
  bool operator==(const Imperfection&) const = default;
  /// InputError if out of range.
  void validate() const;
};

/// A grid of imperfect measurements: every choice of units at every noise level.
struct ImperfectionGrid {
  std::vector<double> unit_fraction{};  ///< choices of units: fractions …
  std::vector<std::int64_t> units{};    ///< … and absolute numbers; both empty: all units
  std::vector<double> noise{};          ///< empty: none
  NoiseUnit noise_unit = NoiseUnit::absolute;
  bool subsets_per_network = false;  ///< draw other units for each network
  std::uint64_t seed = 0;

  [[nodiscard]] bool empty() const { return unit_fraction.empty() && units.empty() && noise.empty(); }
  /// Fractions before numbers, noise levels in turn at each. `network`: a hash of the network that is
  /// measured. InputError if something is out of range.
  [[nodiscard]] std::vector<Imperfection> measurements(std::uint64_t network) const;
};

/// "absolute" or "relative", as files and options have it.
std::string name_of(NoiseUnit unit);
/// InputError for any other name.
NoiseUnit noise_unit_of(const std::string& name);

/// ⌈f·n⌉, at least 1 of any; what rounding adds to f·n (0.07·100 = 7.000000000000001) does not count.
std::int64_t kept_count(std::int64_t n, double unit_fraction);

/// The units that are kept of a set.
class UnitSubset {
 public:
  /// The `count` of n units that have the smallest keyed hashes: the first of a seeded permutation. A smaller
  /// count keeps a subset of a larger one's, and the choice depends on nothing but n and the seed. Units are
  /// hashed by their canonical index and stored in memory order. 0 < count ≤ n, or both 0.
  UnitSubset(std::int64_t n, std::int64_t count, std::uint64_t seed, const UnitOrder& order = {});

  [[nodiscard]] std::int64_t size() const { return size_; }    ///< n
  [[nodiscard]] std::int64_t count() const { return count_; }  ///< kept ones
  [[nodiscard]] bool all() const { return count_ == size_; }
  /// Whether the unit at this place in memory is kept.
  [[nodiscard]] bool operator[](std::int64_t memory_index) const {
    return (bits_[static_cast<std::size_t>(memory_index / 8)] >> (memory_index % 8) & 1U) != 0;
  }
  /// A bit for each unit in memory order, and zeros up to a multiple of 64: vectors read that far.
  [[nodiscard]] const std::uint8_t* bits() const { return bits_.data(); }

  /// Hash by which units are ordered; different for all units of a set.
  static std::uint64_t hash(std::int64_t n, std::uint64_t seed, std::int64_t canonical_index);

 private:
  std::int64_t size_, count_;
  std::vector<std::uint8_t> bits_;
};

}  // namespace lrid::stats
