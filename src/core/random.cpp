#include <numeric>
#include <random>

#include <lrid/core/random.hpp>

namespace lrid {

std::uint64_t system_bits() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::vector<std::int64_t> permutation(std::int64_t n, Key key) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(n));
  std::iota(items.begin(), items.end(), 0);
  shuffle(items, key);
  return items;
}

}  // namespace lrid
