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

std::vector<std::uint32_t> unit_ranks(std::int64_t n, std::uint64_t seed, const UnitOrder& order) {
  if (n > std::numeric_limits<std::uint32_t>::max())
    bad_input("a set of {} values: expected fewer than 2^32 to take a part of", n);
  const std::vector<std::int64_t> drawn = permutation(n, Key(seed, "units"));
  std::vector<std::uint32_t> ranks(drawn.size());
  for (std::size_t rank = 0; rank < drawn.size(); ++rank)
    ranks[static_cast<std::size_t>(order.memory_index(drawn[rank]))] = static_cast<std::uint32_t>(rank);
  return ranks;
}

}  // namespace lrid::stats
