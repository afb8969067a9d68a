#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::stats {

std::int64_t Imperfection::kept(std::int64_t n) const {
  return units > 0 ? std::min(units, n) : kept_count(n, unit_fraction);
}

bool Imperfection::sees_the_same_units(const Imperfection& other) const {
  return subset_seed() == other.subset_seed() && units == other.units &&
         (units > 0 || unit_fraction == other.unit_fraction);
}

std::uint64_t Imperfection::subset_seed() const {
  return network == 0 ? seed : Key(seed, "units of a network").with(network).value();
}

void Imperfection::validate() const {
  if (units < 0) bad_input("units {}: expected a number of units, at least 1", units);
  if (units == 0 && !(unit_fraction > 0 && unit_fraction <= 1))
    bad_input("unit fraction {}: expected a number above 0, at most 1", unit_fraction);
  if (!(noise >= 0 && std::isfinite(noise))) bad_input("noise {}: expected a number, 0 or more", noise);
}

std::vector<Imperfection> ImperfectionGrid::measurements(std::uint64_t network) const {
  std::vector<Imperfection> choices;
  for (const double fraction : unit_fraction) choices.push_back({.unit_fraction = fraction});
  for (const std::int64_t count : units) {
    if (count < 1) bad_input("units {}: expected a number of units, at least 1", count);
    choices.push_back({.units = count});
  }
  if (choices.empty()) choices.emplace_back();
  std::vector<Imperfection> result;
  for (Imperfection measurement : choices)
    for (const double level : noise.empty() ? std::vector{0.0} : noise) {
      measurement.noise = level;
      measurement.noise_unit = noise_unit;
      measurement.seed = seed;
      measurement.network = subsets_per_network ? network : 0;
      measurement.validate();
      result.push_back(measurement);
    }
  return result;
}

std::string name_of(NoiseUnit unit) {
  return unit == NoiseUnit::relative ? "relative" : "absolute";
}

NoiseUnit noise_unit_of(const std::string& name) {
  if (name != "absolute" && name != "relative")
    bad_input("noise unit \"{}\": expected absolute or relative", name);
  return name == "relative" ? NoiseUnit::relative : NoiseUnit::absolute;
}

std::int64_t kept_count(std::int64_t n, double unit_fraction) {
  const double exact = unit_fraction * static_cast<double>(n);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(exact * (1 - 1e-12))), n > 0 ? 1 : 0,
                                  n);
}

namespace {

Key hash_key(std::int64_t n, std::uint64_t seed) {
  return Key(seed, "units", {static_cast<std::uint64_t>(n)});
}

/// The largest of the `count` smallest hashes of n units, 0 < count < n.
std::uint64_t largest_kept(std::int64_t n, std::int64_t count, Key key) {
  // Hashes are evenly spread over 64 bits: it lies near count/n of them, and only what is close is looked at.
  const double share = static_cast<double>(count) / static_cast<double>(n);
  double reach = 6 * std::sqrt(share * (1 - share) / static_cast<double>(n)) + 4 / static_cast<double>(n);
  std::vector<std::uint64_t> near;
  for (;; reach *= 8) {
    constexpr double whole = 0x1p64, last = 0x1.fffffffffffffp63;
    const auto low = static_cast<std::uint64_t>(std::clamp((share - reach) * whole, 0.0, last));
    const auto high = static_cast<std::uint64_t>(std::clamp((share + reach) * whole, 0.0, last));
    const bool to_the_end = share + reach >= 1;
    std::int64_t below = 0;
    near.clear();
    for (std::int64_t unit = 0; unit < n; ++unit) {
      const std::uint64_t hash = key.bits(static_cast<std::uint64_t>(unit));
      below += hash < low ? 1 : 0;
      if (hash >= low && (to_the_end || hash <= high)) near.push_back(hash);
    }
    const std::int64_t rank = count - 1 - below;
    if (rank < 0 || rank >= std::ssize(near)) continue;
    std::ranges::nth_element(near, near.begin() + rank);
    return near[to_size(rank)];
  }
}

}  // namespace

std::uint64_t UnitSubset::hash(std::int64_t n, std::uint64_t seed, std::int64_t canonical_index) {
  return hash_key(n, seed).bits(static_cast<std::uint64_t>(canonical_index));
}

UnitSubset::UnitSubset(std::int64_t n, std::int64_t count, std::uint64_t seed, const UnitOrder& order)
    : size_(n), count_(count), bits_(to_size((n + 63) / 64 * 8), 0xFF) {
  if (all()) return;
  const Key key = hash_key(n, seed);
  const std::uint64_t largest = largest_kept(n, count_, key);
  std::ranges::fill(bits_, 0);
  for (std::int64_t i = 0; i < n; ++i)
    if (key.bits(static_cast<std::uint64_t>(order.canonical_index(i))) <= largest)
      bits_[to_size(i / 8)] |= static_cast<std::uint8_t>(1U << (i % 8));
}

}  // namespace lrid::stats
