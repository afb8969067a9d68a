#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/random.hpp>
#include <lrid/stats/distribution.hpp>

#include "reference.hpp"

namespace lrid::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<Function, 3> functions{Function::raw, Function::absolute, Function::square};
constexpr std::array<const char*, 7> names{"norm",           "mean", "variance", "median",
                                           "third quartile", "skew", "kurtosis"};

template <class T>
Distribution describe(const std::vector<T>& values) {
  Scratch scratch;
  return stats::describe(std::span<const T>(values), scratch);
}

/// Every statistic to a relative `tolerance`; skew, a difference of nearly equal numbers, to an absolute one.
void expect_near(const Distribution& found, const Distribution& expected, double tolerance,
                 const std::string& what) {
  for (std::size_t f = 0; f < 3; ++f)
    for (std::size_t s = 0; s < 7; ++s) {
      const double a = found.values[f][s], b = expected.values[f][s];
      const std::string here = what + ": function " + std::to_string(f) + ", " + names[s];
      if (std::isnan(b)) {
        EXPECT_TRUE(std::isnan(a)) << here << ": " << a << ", expected NaN";
      } else if (s == 3 || s == 4) {
        EXPECT_DOUBLE_EQ(a, b) << here;  // order statistics are exact (their squares: one rounding)
      } else {
        const double scale = s == 5 ? 1.0 : s == 1 ? expected.values[f][0] / 1e3 + std::abs(b) : std::abs(b);
        EXPECT_NEAR(a, b, tolerance * scale) << here;
      }
    }
}

template <class T>
std::vector<T> draw(std::size_t n, std::uint64_t seed, double mean, double sd, bool relu = false) {
  Stream stream{Key(seed)};
  std::vector<T> values(n);
  for (T& value : values) {
    value = static_cast<T>(mean + sd * stream.normal());
    if (relu && value < 0) value = 0;
  }
  return values;
}

TEST(Distribution, HandWorked) {
  const Distribution d = describe(std::vector<double>{10, 1, 3, 2});
  EXPECT_DOUBLE_EQ(d(Function::raw, Statistic::norm), std::sqrt(114.0));
  EXPECT_DOUBLE_EQ(d(Function::raw, Statistic::mean), 4);
  EXPECT_DOUBLE_EQ(d(Function::raw, Statistic::variance), 12.5);
  EXPECT_EQ(d(Function::raw, Statistic::median), 2);
  EXPECT_EQ(d(Function::raw, Statistic::third_quartile), 3);
  EXPECT_DOUBLE_EQ(d(Function::raw, Statistic::skew), 6 / std::sqrt(12.5));
  EXPECT_DOUBLE_EQ(d(Function::raw, Statistic::kurtosis), 1394.0 / 4 / 156.25);

  const Distribution e = describe(std::vector<double>{-4, 1, 2});
  EXPECT_EQ(e(Function::raw, Statistic::median), 1);
  EXPECT_EQ(e(Function::absolute, Statistic::median), 2);
  EXPECT_EQ(e(Function::square, Statistic::median), 4);
  EXPECT_DOUBLE_EQ(e(Function::absolute, Statistic::mean), 7.0 / 3);
  EXPECT_DOUBLE_EQ(e(Function::square, Statistic::mean), 7);
  EXPECT_DOUBLE_EQ(e(Function::square, Statistic::norm), std::sqrt(256.0 + 1 + 16));
}

template <class T>
class DistributionOf : public ::testing::Test {};
using ValueTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DistributionOf, ValueTypes);

TYPED_TEST(DistributionOf, AgreesWithTheDefinitionsForEverySize) {
  for (std::size_t n = 1; n <= 70; ++n) {
    expect_near(describe(draw<TypeParam>(n, n, 0, 1)), reference::describe(draw<TypeParam>(n, n, 0, 1)),
                1e-12, "normal " + std::to_string(n));
    const auto relu = draw<TypeParam>(n, 100 + n, 0.2, 1, true);
    expect_near(describe(relu), reference::describe(relu), 1e-12, "relu " + std::to_string(n));
  }
  // Around the sizes where blocks end and where selection changes its ways.
  for (const std::size_t n : {2047U, 2048U, 2049U, 4095U, 4096U, 5003U, 32768U, 100001U})
    for (const bool relu : {false, true}) {
      const auto values = draw<TypeParam>(n, n, -0.3, 2, relu);
      expect_near(describe(values), reference::describe(values), 1e-11,
                  (relu ? "relu " : "normal ") + std::to_string(n));
    }
}

/// Random sizes and distributions, among them those that a sample of the set misjudges.
TYPED_TEST(DistributionOf, AgreesWithTheDefinitionsOnRandomSets) {
  using T = TypeParam;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    Stream stream{Key(seed, "sets")};
    const auto n = static_cast<std::size_t>(std::exp(stream.uniform(0, std::log(30000))));
    const double scale = std::exp(stream.uniform(-20, 20)), offset = stream.uniform(-20, 20);
    std::vector<T> values(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double z = stream.normal(), place = static_cast<double>(i) / static_cast<double>(n);
      double v = 0;
      switch (seed % 10) {
        case 0:
          v = z;
          break;
        case 1:
          v = z + offset;
          break;
        case 2:
          v = std::max(0.0, z - 0.3);
          break;  // many zeros, below the median
        case 3:
          v = std::exp(3 * z);
          break;  // a long tail
        case 4:
          v = std::round(3 * z);
          break;  // ties
        case 5:
          v = std::exp(3 * z) * (stream() % 2 == 0 ? 1 : -1);
          break;
        case 6:
          v = place + offset;
          break;  // in order
        case 7:
          v = i % 64 == 5 ? 100 + z : z;
          break;  // one channel in 64 is different
        case 8:
          v = place < 0.6 ? -1 : z;
          break;  // more than half are equal
        default:
          v = stream() % 2 == 0 ? -1 : 1;
          break;  // constant in absolute value
      }
      values[i] = static_cast<T>(scale * v);
    }
    expect_near(describe(values), reference::describe(values), 1e-10,
                "seed " + std::to_string(seed) + ", n " + std::to_string(n));
  }
}

TYPED_TEST(DistributionOf, AgreesWithTheDefinitionsOnAwkwardValues) {
  using T = TypeParam;
  const T tiny = std::numeric_limits<T>::denorm_min(), small = std::numeric_limits<T>::min();
  std::vector<std::pair<std::string, std::vector<T>>> cases{
      {"both signs, one magnitude", {T(-0.1), T(0.1), T(-0.1), T(0.1), T(0.1)}},
      {"signed zeros", {T(-0.0), T(0), T(-0.0), T(1)}},
      {"all negative", {T(-1), T(-2), T(-7), T(-7)}},
      {"ties", {T(1), T(1), T(1), T(2), T(2), T(2), T(2)}},
      {"one outlier", {T(0), T(0), T(0), T(0), T(1000)}}};
  for (auto& [name, values] : cases) {
    expect_near(describe(values), reference::describe(values), 1e-12, name);
    // The same values many times over: the histogram's way.
    std::vector<T> many;
    for (int i = 0; i < 1000; ++i) many.insert(many.end(), values.begin(), values.end());
    expect_near(describe(many), reference::describe(many), 1e-11, name + ", many");
  }
  // Denormals, beyond the range of eighth powers in float64: long double has it.
  if constexpr (std::is_same_v<T, float>) {
    const std::vector<T> denormal{tiny, 3 * tiny, -7 * tiny, 100 * tiny, small};
    expect_near(describe(denormal), reference::describe(denormal), 1e-12, "denormal");
    const std::vector<T> huge{T(3e38), T(-1e38), T(2e38), T(1e37), T(-3e38)};
    expect_near(describe(huge), reference::describe(huge), 1e-12, "huge");
  } else {
    const std::vector<T> wide{T(1e-150), T(-2e-150), T(5e-150), T(7e-150)};
    const Distribution d = describe(wide), scaled = describe(std::vector<T>{T(1), T(-2), T(5), T(7)});
    for (const Function f : functions) {
      EXPECT_NEAR(d(f, Statistic::kurtosis), scaled(f, Statistic::kurtosis), 1e-12);
      EXPECT_NEAR(d(f, Statistic::skew), scaled(f, Statistic::skew), 1e-12);
    }
    // Squares leave the range: infinite where they must be, but zeros stay zeros.
    const Distribution far = describe(std::vector<T>{T(0), T(0), T(0), T(-1e300)});
    EXPECT_EQ(far(Function::square, Statistic::mean), infinity);
    EXPECT_EQ(far(Function::square, Statistic::median), 0);
    EXPECT_NEAR(far(Function::raw, Statistic::kurtosis), 7.0 / 3, 1e-12);
    EXPECT_NEAR(d(Function::raw, Statistic::norm) * 1e150, scaled(Function::raw, Statistic::norm), 1e-12);
  }
}

TYPED_TEST(DistributionOf, ConstantSetsHaveNoSkewOrKurtosis) {
  using T = TypeParam;
  std::vector<std::size_t> sizes{5000, 1000003};  // for some of these the sum divided by n is not the value
  for (std::size_t n = 1; n <= 300; ++n) sizes.push_back(n);
  for (const T value : {T(0), T(0.1), T(-0.3), T(1e6), T(1) / T(3)})
    for (const std::size_t n : sizes) {
      const Distribution d = describe(std::vector<T>(n, value));
      for (const Function f : functions) {
        EXPECT_EQ(d(f, Statistic::variance), 0) << value << " × " << n;
        EXPECT_TRUE(std::isnan(d(f, Statistic::skew)));
        EXPECT_TRUE(std::isnan(d(f, Statistic::kurtosis)));
      }
      EXPECT_EQ(d(Function::raw, Statistic::mean), static_cast<double>(value));
      EXPECT_EQ(d(Function::absolute, Statistic::median), std::abs(static_cast<double>(value)));
    }
}

TYPED_TEST(DistributionOf, NaNSpoilsEverythingAndSoDoesNothingAtAll) {
  using T = TypeParam;
  for (const std::size_t n : {3U, 5000U}) {
    auto values = draw<T>(n, 1, 0, 1);
    values[n / 2] = static_cast<T>(nan);
    for (const auto& function : describe(values).values)
      for (const double statistic : function) EXPECT_TRUE(std::isnan(statistic));
  }
  for (const auto& function : describe(std::vector<T>{}).values)
    for (const double statistic : function) EXPECT_TRUE(std::isnan(statistic));
}

TYPED_TEST(DistributionOf, InfinitiesSpoilOnlyWhatIsUndefined) {
  using T = TypeParam;
  for (const std::size_t copies : {1U, 1000U}) {
    std::vector<T> values;
    for (std::size_t i = 0; i < copies; ++i)
      for (const T value : {T(1), static_cast<T>(infinity), T(2), T(-3), T(4)}) values.push_back(value);
    Distribution d = describe(values);
    EXPECT_EQ(d(Function::raw, Statistic::norm), infinity);
    EXPECT_EQ(d(Function::raw, Statistic::mean), infinity);
    EXPECT_TRUE(std::isnan(d(Function::raw, Statistic::variance)));
    EXPECT_EQ(d(Function::raw, Statistic::median), 2);
    EXPECT_EQ(d(Function::absolute, Statistic::median), 3);
    EXPECT_EQ(d(Function::square, Statistic::third_quartile), 16);
    EXPECT_TRUE(std::isnan(d(Function::square, Statistic::kurtosis)));
    values[3] = static_cast<T>(-infinity);
    EXPECT_TRUE(std::isnan(describe(values)(Function::raw, Statistic::mean)));
    EXPECT_EQ(describe(values)(Function::absolute, Statistic::mean), infinity);
  }
}

TEST(Distribution, SurvivesAHugeOffset) {
  for (const std::size_t n : {1000U, 100000U}) {
    const auto values = draw<double>(n, 7, 1e6, 1e-3);
    const Distribution found = describe(values), expected = reference::describe(values);
    for (const Function f : {Function::raw, Function::absolute}) {
      EXPECT_NEAR(found(f, Statistic::variance) / expected(f, Statistic::variance), 1, 1e-9);
      EXPECT_NEAR(found(f, Statistic::kurtosis) / expected(f, Statistic::kurtosis), 1, 1e-9);
      EXPECT_NEAR(found(f, Statistic::skew), expected(f, Statistic::skew), 1e-9);
    }
    // A square of 1e12 has a rounding error of 1e-4, against a spread of 2e3: no better input, no better
    // output.
    EXPECT_NEAR(
        found(Function::square, Statistic::variance) / expected(Function::square, Statistic::variance), 1,
        1e-7);
    EXPECT_NEAR(
        found(Function::square, Statistic::kurtosis) / expected(Function::square, Statistic::kurtosis), 1,
        1e-7);
  }
}

/// The table of benchmarks/README.md: what is printed is ours and the definition's in long double.
TEST(Distribution, AdversarialTable) {
  const auto row = [](const char* name, const auto& values) {
    const Distribution found = describe(values), expected = reference::describe(values);
    for (const Statistic s : {Statistic::mean, Statistic::variance, Statistic::kurtosis}) {
      const double a = found(Function::raw, s), b = expected(Function::raw, s);
      std::printf("%-44s %-9s %-24.17g %-24.17g\n", name, names[static_cast<std::size_t>(s)], a, b);
      EXPECT_TRUE(std::isnan(b) ? std::isnan(a) : a == b || std::abs(a - b) <= 1e-11 * std::abs(b)) << name;
    }
  };
  row("constant 0.1", std::vector<double>(1000, 0.1));
  row("one unit, -3.5", std::vector<double>{-3.5});
  row("float32 denormals", draw<float>(10000, 7, 0, 1e-41));
  row("float32 around 3e37", draw<float>(10000, 7, 3e37, 1e36));
  row("float64, mean 1e6, sd 1e-3", draw<double>(10000, 7, 1e6, 1e-3));
  row("float32, mean 1000, sd 1", draw<float>(10000, 7, 1000, 1));
  row("1, inf, 2", std::vector<double>{1, infinity, 2});
  row("-inf, 1, inf", std::vector<double>{-infinity, 1, infinity});
  row("1, NaN, 2", std::vector<double>{1, NAN, 2});
}

TEST(Distribution, SurvivesAnOffsetThatPowerSumsDoNot) {
  const auto values = draw<float>(20000, 8, 1000, 1);
  expect_near(describe(values), reference::describe(values), 1e-10, "mean 1000, sd 1");
}

TEST(Distribution, ObeysShiftAndScale) {
  const auto values = draw<double>(3000, 5, 0.5, 1);
  auto changed = values;
  for (double& value : changed) value = 4 * value + 8;
  const Distribution a = describe(values), b = describe(changed);
  EXPECT_NEAR(b(Function::raw, Statistic::mean), 4 * a(Function::raw, Statistic::mean) + 8, 1e-12);
  EXPECT_NEAR(b(Function::raw, Statistic::variance), 16 * a(Function::raw, Statistic::variance), 1e-11);
  EXPECT_NEAR(b(Function::raw, Statistic::median), 4 * a(Function::raw, Statistic::median) + 8, 1e-12);
  EXPECT_NEAR(b(Function::raw, Statistic::skew), a(Function::raw, Statistic::skew), 1e-12);
  EXPECT_NEAR(b(Function::raw, Statistic::kurtosis), a(Function::raw, Statistic::kurtosis), 1e-11);
}

TEST(Distribution, KnowsNormalData) {
  // Kurtosis 3 and skew 0 within five standard errors, √(24/n) and 3·√(π/2 − 1)/√n.
  constexpr std::size_t n = 200000;
  const Distribution d = describe(draw<float>(n, 11, 2, 3));
  EXPECT_NEAR(d(Function::raw, Statistic::kurtosis), 3, 5 * std::sqrt(24.0 / n));
  EXPECT_NEAR(d(Function::raw, Statistic::skew), 0, 5 * 3 * std::sqrt((std::numbers::pi / 2 - 1) / n));
}

TEST(Distribution, LayerChangeStatistics) {
  const auto g = layer_change_statistics(std::vector<double>{1, -2, 4});
  EXPECT_DOUBLE_EQ(g[0], 1);
  EXPECT_DOUBLE_EQ(g[1], 7.0 / 3);
  EXPECT_DOUBLE_EQ(g[2], 7);
  EXPECT_TRUE(std::isnan(layer_change_statistics({})[0]));
}

}  // namespace
}  // namespace lrid::stats
