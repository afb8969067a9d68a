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

/// The units that are kept of a set.
class UnitSubset {
 public:
  /// ⌈f·n⌉ of n units, those with the smallest keyed hashes: the first of a seeded permutation. A smaller
  /// fraction keeps a subset of a larger one's, and the choice depends on nothing but n and the seed. Units
  /// are hashed by their canonical index and stored in memory order.
  UnitSubset(std::int64_t n, double unit_fraction, std::uint64_t seed, const UnitOrder& order = {});

  [[nodiscard]] std::int64_t size() const { return size_; }    ///< n
  [[nodiscard]] std::int64_t count() const { return count_; }  ///< kept ones
  [[nodiscard]] bool all() const { return count_ == size_; }
  /// Whether the unit at this place in memory is kept.
  [[nodiscard]] bool operator[](std::int64_t memory_index) const {
    return (bits_[static_cast<std::size_t>(memory_index / 8)] >> (memory_index % 8) & 1U) != 0;
  }
  /// A bit for each unit in memory order, and zeros up to a multiple of 64: vectors read that far.
  [[nodiscard]] const std::uint8_t* bits() const { return bits_.data(); }

  /// What units are ordered by: different for all units of a set.
  static std::uint64_t hash(std::int64_t n, std::uint64_t seed, std::int64_t canonical_index);

 private:
  std::int64_t size_, count_;
  std::vector<std::uint8_t> bits_;
};

}  // namespace lrid::stats
