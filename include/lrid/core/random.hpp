#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <string_view>
#include <utility>
#include <vector>

namespace lrid {

/// Steele, Lea & Flood (OOPSLA 2014), "Fast splittable pseudorandom number generators": SplitMix64's mixer.
constexpr std::uint64_t mix64(std::uint64_t z) {
  z ^= z >> 30;
  z *= 0xBF58476D1CE4E5B9ULL;
  z ^= z >> 27;
  z *= 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return z;
}

/// Returns 64 random bits from the system, different in each call: for names that no other process uses,
/// never for results.
std::uint64_t system_bits();

/// Identifies a stream of random numbers by a hash of (master seed, purpose, indices). lrid has no global
/// generator: each consumer derives a key, so results depend neither on the order of work nor on the number
/// of threads.
class Key {
 public:
  constexpr explicit Key(std::uint64_t seed, std::string_view purpose = {},
                         std::initializer_list<std::uint64_t> indices = {})
      : value_(mix64(seed + 0x9E3779B97F4A7C15ULL)) {
    if (!purpose.empty()) *this = with(purpose);
    for (const std::uint64_t index : indices) *this = with(index);
  }

  /// Returns the key of a sub-stream.
  [[nodiscard]] constexpr Key with(std::uint64_t index) const {
    return from_value(mix64(value_ ^ mix64(index + 0xD1B54A32D192ED03ULL)));
  }
  [[nodiscard]] constexpr Key with(std::string_view name) const {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return with(hash);
  }
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

  /// Returns element `counter` of the stream, without state: in any order, on any device.
  [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t counter) const {
    return mix64(value_ + (counter + 1) * 0x9E3779B97F4A7C15ULL);
  }
  /// Uniform in [0, 1), 53 bits.
  [[nodiscard]] constexpr double uniform(std::uint64_t counter) const {
    return static_cast<double>(bits(counter) >> 11) * 0x1p-53;
  }
  /// Standard normal, by Box-Muller from elements 2·counter and 2·counter+1.
  [[nodiscard]] double normal(std::uint64_t counter) const {
    const double u = 1.0 - uniform(2 * counter);  // (0, 1]: the logarithm is finite
    const double v = uniform(2 * counter + 1);
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

 private:
  static constexpr Key from_value(std::uint64_t value) {
    Key key(0);
    key.value_ = value;
    return key;
  }
  std::uint64_t value_;
};

/// Draws from a key in sequence: a UniformRandomBitGenerator of C++.
class Stream {
 public:
  using result_type = std::uint64_t;
  explicit Stream(Key key) : key_(key) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return key_.bits(counter_++); }

  double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal() {
    const double u = 1.0 - uniform();
    const double v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }
  /// Returns a uniform integer in [0, n), n ≥ 1, without modulo bias (Lemire, ACM TOMACS 2019).
  std::uint64_t below(std::uint64_t n) {
    __extension__ using Product = unsigned __int128;
    auto product = static_cast<Product>((*this)()) * n;
    if (static_cast<std::uint64_t>(product) < n) {
      const std::uint64_t threshold = (0 - n) % n;
      while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Product>((*this)()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

 private:
  Key key_;
  std::uint64_t counter_ = 0;
};

/// Shuffles by Fisher-Yates. A key gives the same permutation on every platform, which std::shuffle does not
/// promise.
template <class T>
void shuffle(std::vector<T>& items, Key key) {
  Stream stream(key);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[stream.below(i)]);
}

/// Returns 0 … n−1 in the random order of the key.
std::vector<std::int64_t> permutation(std::int64_t n, Key key);

}  // namespace lrid
