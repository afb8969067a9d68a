#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/random.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::stats {

void Imperfection::validate() const {
  if (!(unit_fraction > 0 && unit_fraction <= 1))
    bad_input("unit fraction {}: expected a number above 0, at most 1", unit_fraction);
  if (!(noise >= 0 && std::isfinite(noise))) bad_input("noise {}: expected a number, 0 or more", noise);
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
    return near[static_cast<std::size_t>(rank)];
  }
}

}  // namespace

std::uint64_t UnitSubset::hash(std::int64_t n, std::uint64_t seed, std::int64_t canonical_index) {
  return hash_key(n, seed).bits(static_cast<std::uint64_t>(canonical_index));
}

UnitSubset::UnitSubset(std::int64_t n, double unit_fraction, std::uint64_t seed, const UnitOrder& order)
    : size_(n),
      count_(kept_count(n, unit_fraction)),
      bits_(static_cast<std::size_t>((n + 63) / 64 * 8), 0xFF) {
  if (all()) return;
  const Key key = hash_key(n, seed);
  const std::uint64_t largest = largest_kept(n, count_, key);
  std::ranges::fill(bits_, 0);
  for (std::int64_t i = 0; i < n; ++i)
    if (key.bits(static_cast<std::uint64_t>(order.canonical_index(i))) <= largest)
      bits_[static_cast<std::size_t>(i / 8)] |= static_cast<std::uint8_t>(1U << (i % 8));
}

}  // namespace lrid::stats
