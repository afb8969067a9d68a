// The phases of the CUDA kernels on the host, with a block's threads in a loop. device_batch_test.cpp
// compares a device with the host where there is one.
#include "stats/device_pass.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <lrid/stats/distribution.hpp>

#include "reference.hpp"

namespace lrid::stats::device {
namespace {

struct HostBlock {
  Shared memory{};

  template <class T>
  struct PerThread {
    std::vector<T> values = std::vector<T>(block_threads);
    T& operator[](int t) { return values[static_cast<std::size_t>(t)]; }
  };
  template <class Phase>
  void each(const Phase& phase) const {
    // Backwards: the result may not depend on which thread comes first.
    for (int t = block_threads; t-- > 0;) phase(t);
  }
  Shared& shared() { return memory; }
  void add(std::uint32_t* count, std::uint32_t more) const { *count += more; }
};

/// A batch as DeviceBatch would launch it.
std::vector<State> run(std::vector<Set> sets) {
  std::vector<State> states;
  for (const Set& set : sets) states.push_back(initial_state(set));
  const std::vector<Chunk> chunks = make_chunks(sets);
  std::uint32_t tiles = 0, histogram_count = 0;
  for (const Chunk& chunk : chunks) tiles += chunk.tiles;
  for (const Set& set : sets) histogram_count = std::max(histogram_count, set.histogram + 1);
  std::vector<Partial> partials(tiles);
  std::vector<std::uint32_t> histograms(std::size_t{histogram_count} * searches * bins);
  const auto count = static_cast<std::uint32_t>(sets.size());
  const Batch batch{sets.data(), states.data(), partials.data(), histograms.data(), count};
  // Blocks in any order, their memory as the block before them left it.
  HostBlock block;
  std::ranges::fill(block.memory.histogram, 0x55555555U);
  for (std::uint32_t set = 0; set < count; ++set) whole_set(block, batch, set);
  for (const Chunk& chunk : chunks)
    for (int round = 0; round < rounds; ++round) {
      for (std::uint32_t tile = chunk.tiles; tile-- > 0;)
        pass_tile(block, batch, round, chunk.first_tile + tile);
      for (std::uint32_t set = 0; set < chunk.sets; ++set)
        end_round(block, batch, round, chunk.first_set + set);
    }
  return states;
}

Set set_of(const std::vector<float>& values, const double* s = nullptr) {
  Set set;
  set.data = values.data();
  set.n = static_cast<std::uint32_t>(values.size());
  set.s = s;
  return set;
}

/// Order statistics and norms equal, the rest to 1e-12: rounding, in another order of additions.
void expect_near(const Distribution& found, const Distribution& expected, double tolerance = 1e-12) {
  for (int f = 0; f < 3; ++f)
    for (int s = 0; s < 7; ++s) {
      const auto function = static_cast<Function>(f);
      const auto statistic = static_cast<Statistic>(s);
      const double a = found(function, statistic), b = expected(function, statistic);
      SCOPED_TRACE("function " + std::to_string(f) + ", statistic " + std::to_string(s));
      if (std::isnan(b) || std::isinf(b) || statistic == Statistic::median ||
          statistic == Statistic::third_quartile)
        EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " and " << b;
      else if (statistic == Statistic::skew)  // a difference: relative to what is subtracted
        EXPECT_NEAR(a, b, tolerance * (1 + std::abs(b)));
      else
        EXPECT_NEAR(a, b, tolerance * std::abs(b));
    }
}

std::vector<float> drawn(std::size_t n, const std::function<double(double)>& of_normal) {
  std::mt19937_64 bits(n);
  std::normal_distribution<double> normal;
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(of_normal(normal(bits)));
  return values;
}

TEST(DevicePass, IsTheHostsEngineUpToRounding) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::vector<float>> sets{
      drawn(1000, [](double z) { return z; }),
      drawn(200000, [](double z) { return std::max(0.0, z); }),
      drawn(65537, [](double z) { return 1000 + z; }),            // asks for central moments
      drawn(70000, [](double z) { return 3e37 * std::abs(z); }),  // … for a scale
      drawn(5000, [](double z) { return 1e-39 * (5 + z); }),      // denormals, and both
      drawn(3001, [](double z) { return std::exp(4 * z); }),
      drawn(4000, [](double z) { return -std::abs(z); }),
      drawn(4096, [](double z) { return std::round(z); }),
      {5},
      {-2, -2, -2},
      {0, -0.0F, 0, 0},
      {1, 2, 3, 10},
      {1, infinity, 2},
      {-infinity, 1, infinity},
      {1, NAN, 2},
      {1, -NAN, 2},
  };
  std::vector<Set> batch;
  for (const auto& values : sets) batch.push_back(set_of(values));
  batch.push_back({});  // of nothing
  const std::vector<State> states = run(batch);
  Scratch scratch;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    SCOPED_TRACE("set " + std::to_string(i));
    const std::vector<float> values = i < sets.size() ? sets[i] : std::vector<float>();
    expect_near(distribution_of(states[i].sums), describe(std::span<const float>(values), scratch));
  }
}

TEST(DevicePass, ValuesMayBeginAnywhere) {
  const std::vector<float> values = drawn(3 * 65536 + 50, [](double z) { return 1 + z; });
  std::vector<std::uint16_t> halves(values.size());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &values[i], sizeof bits);
    halves[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  Scratch scratch;
  for (const std::uint32_t n : {1U, 3U, 9U, 300U, 65536U, 65537U, 2 * 65536U + 5})
    for (std::uint32_t first = 0; first < 9; ++first) {
      SCOPED_TRACE(std::to_string(n) + " from " + std::to_string(first));
      Set set;
      set.data = values.data() + first;
      set.n = n;
      expect_near(distribution_of(run({set})[0].sums),
                  describe(std::span<const float>(values).subspan(first, n), scratch));
      set.data = halves.data() + first;
      set.type = ElementType::bf16;
      std::vector<float> cut(n);
      for (std::uint32_t i = 0; i < n; ++i) cut[i] = value_of_bits<ElementType::bf16>(halves[first + i]);
      expect_near(distribution_of(run({set})[0].sums), describe(std::span<const float>(cut), scratch));
    }
}

TEST(DevicePass, LargerSetsAreGroupedIntoChunks) {
  const auto of = [](std::uint32_t n, ElementType type = ElementType::f32) {
    Set set;
    set.n = n;
    set.type = type;
    return set;
  };
  constexpr std::uint32_t mib = 1 << 18;  // of float32
  std::vector<Set> sets{of(10),      of(10 * mib), of(20 * mib),  of(65536),
                        of(3 * mib), of(65537),    of(100 * mib), of(40 * mib, ElementType::bf16),
                        of(0)};
  const std::vector<Chunk> chunks = make_chunks(sets);
  ASSERT_EQ(chunks.size(), 4U);
  std::vector<std::uint32_t> first, last, histograms;
  std::uint32_t tiles = 0;
  for (const Chunk& chunk : chunks) {
    first.push_back(chunk.first_set);
    last.push_back(chunk.first_set + chunk.sets - 1);
    EXPECT_EQ(chunk.first_tile, tiles);
    tiles += chunk.tiles;
  }
  for (const Set& set : sets) histograms.push_back(set.histogram);
  EXPECT_EQ(first, (std::vector<std::uint32_t>{1, 4, 6, 7}));
  EXPECT_EQ(last, (std::vector<std::uint32_t>{2, 5, 6, 7}));
  EXPECT_EQ(histograms, (std::vector<std::uint32_t>{0, 0, 1, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(tiles, (10 + 20 + 3 + 100 + 40) * mib / 65536 + 2);
  Batch batch{};
  batch.sets = sets.data();
  batch.set_count = static_cast<std::uint32_t>(sets.size());
  EXPECT_EQ(set_of_tile(batch, 0), 1U);
  EXPECT_EQ(set_of_tile(batch, 40), 2U);
  EXPECT_EQ(set_of_tile(batch, tiles - 1), 7U);
}

TEST(DevicePass, IsTheDefinition) {
  const std::vector<float> values = drawn(30000, [](double z) { return 0.3 + z; });
  expect_near(distribution_of(run({set_of(values)})[0].sums), reference::describe(values));
}

TEST(DevicePass, DoesNotDependOnWhatElseIsInTheBatch) {
  const std::vector<float> a = drawn(150000, [](double z) { return z * z; }),
                           b = drawn(777, [](double z) { return z; });
  const auto alone = distribution_of(run({set_of(a)})[0].sums).values;
  EXPECT_EQ(distribution_of(run({set_of(b), set_of(a), set_of(b)})[1].sums).values, alone);
}

TEST(DevicePass, AddsUpSWhereValuesArePositive) {
  const std::vector<float> values = drawn(100000, [](double z) { return std::max(0.0, z); });
  std::vector<double> s(values.size());
  long double expected = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    s[i] = std::sin(static_cast<double>(i));
    if (values[i] > 0) expected += s[i];
  }
  EXPECT_NEAR(run({set_of(values, s.data())})[0].change, static_cast<double>(expected), 1e-10);
}

/// All bit patterns that are numbers, which are float32 numbers, too.
TEST(DevicePass, TypesOf16Bits) {
  for (const ElementType type : {ElementType::f16, ElementType::bf16}) {
    std::vector<std::uint16_t> bits;
    std::vector<float> values;
    for (std::uint32_t b = 0; b < 0x10000; ++b) {
      const int exponent =
          type == ElementType::f16 ? static_cast<int>(b >> 10 & 31) : static_cast<int>(b >> 7 & 255);
      const int mantissa = static_cast<int>(type == ElementType::f16 ? b & 1023 : b & 127);
      const int digits = type == ElementType::f16 ? 10 : 7, bias = type == ElementType::f16 ? 15 : 127;
      if (exponent == (type == ElementType::f16 ? 31 : 255)) continue;
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - bias - digits)
                                             : std::ldexp(mantissa + (1 << digits), exponent - bias - digits);
      bits.push_back(static_cast<std::uint16_t>(b));
      values.push_back(static_cast<float>((b & 0x8000) != 0 ? -magnitude : magnitude));
    }
    Set set;
    set.data = bits.data();
    set.type = type;
    set.n = static_cast<std::uint32_t>(bits.size());
    for (std::uint32_t i = 0; i < set.n; ++i)
      ASSERT_EQ(type == ElementType::f16 ? value_of_bits<ElementType::f16>(bits[i])
                                         : value_of_bits<ElementType::bf16>(bits[i]),
                values[i])
          << bits[i];
    // Shifted and cut, so that neither the mean nor the quantiles are 0.
    set.n -= 20000;
    values.resize(set.n);
    Scratch scratch;
    expect_near(distribution_of(run({set})[0].sums), describe(std::span<const float>(values), scratch));
  }
}

}  // namespace
}  // namespace lrid::stats::device
