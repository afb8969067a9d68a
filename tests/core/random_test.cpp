#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include <lrid/core/random.hpp>

namespace lrid {
namespace {

TEST(Key, MatchesTheFormulaOfTheGoldenFiles) {
  // golden/README.md, "forward.h5", gives v(k, i) of this very mixer.
  const auto v = [](std::uint64_t k, std::uint64_t i) {
    const std::uint64_t z = mix64(1 + (k + 1) * 0xD1B54A32D192ED03ULL + (i + 1) * 0x9E3779B97F4A7C15ULL);
    return static_cast<double>(z >> 11) * 0x1p-52 - 1;
  };
  EXPECT_EQ(v(0, 0), -0.24631511044577525);
  EXPECT_EQ(v(3, 1000), -0.925313095917282);
}

TEST(Key, EveryPartMatters) {
  std::set<std::uint64_t> values;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const char* purpose : {"batches", "augmentation", "model"})
      for (std::uint64_t index = 0; index < 20; ++index) values.insert(Key(seed, purpose, {index}).value());
  EXPECT_EQ(values.size(), 20U * 3 * 20);
  EXPECT_NE(Key(1, "a", {2, 3}).value(), Key(1, "a", {3, 2}).value());
}

TEST(Stream, UniformAndNormalHaveTheirMoments) {
  constexpr int n = 200000;
  Stream stream(Key(7, "moments"));
  double sum = 0, square = 0, uniform = 0;
  for (int i = 0; i < n; ++i) {
    const double x = stream.normal();
    sum += x;
    square += x * x;
    uniform += stream.uniform();
  }
  // Five standard errors.
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
}

TEST(Stream, BelowIsUniform) {
  Stream stream(Key(3));
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[stream.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Permutation, HoldsEveryIndexOnceAndRepeats) {
  const auto order = permutation(1000, Key(5));
  EXPECT_EQ(order, permutation(1000, Key(5)));
  EXPECT_NE(order, permutation(1000, Key(6)));
  auto sorted = order;
  std::ranges::sort(sorted);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_TRUE(permutation(0, Key(5)).empty());
}

}  // namespace
}  // namespace lrid
