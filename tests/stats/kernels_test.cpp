// The vector units that this machine has against each other and against the same formulas in plain C++.
#include "stats/kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <lrid/core/random.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "stats/formulas-inl.hpp"

namespace lrid::stats {
namespace {

/// Runs `measure` on every vector unit of this machine; the results, the widest unit's first.
template <class Measure>
auto on_every_unit(const Measure& measure) {
  std::vector<decltype(measure())> results;
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    hwy::GetChosenTarget().DeInit();
    results.push_back(measure());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  return results;
}

/// Evaluates the formulas without vectors, as a GPU does.
struct PlainOps {
  using F = float;
  using I = std::int32_t;
  [[nodiscard]] F real(float v) const { return v; }
  [[nodiscard]] I integer(int v) const { return v; }
  [[nodiscard]] F to_float(I v) const { return static_cast<float>(v); }
  [[nodiscard]] F as_float(I v) const { return std::bit_cast<float>(v); }
  [[nodiscard]] I as_bits(F v) const { return std::bit_cast<std::int32_t>(v); }
  [[nodiscard]] I and_(I a, I b) const { return a & b; }
  [[nodiscard]] I xor_(I a, I b) const { return a ^ b; }
  [[nodiscard]] I subtract(I a, I b) const { return a - b; }
  [[nodiscard]] I shift_right_23(I v) const { return v >> 23; }
  [[nodiscard]] I shift_left_23(I v) const { return v * (1 << 23); }
  [[nodiscard]] F square_root(F v) const { return std::sqrt(v); }
};

float plain_normal(Key key, std::uint64_t element) {
  return plain::normal_of_bits(PlainOps(), static_cast<std::int32_t>(key.bits(element) >> 32));
}

TEST(Kernels, NormalsAreTheSameOnEveryUnitHoweverTheyAreAskedFor) {
  constexpr std::size_t n = 1003, begin = 7;
  const Key key(5, "noise");
  const UnitOrder canonical, last = UnitOrder::channels_last(37, 11);
  std::vector<std::uint32_t> elements;
  for (std::uint32_t i = 0; i < n; ++i) elements.push_back(4000000000U - i * i);
  for (const std::vector<float>& found : on_every_unit([&] {
         std::vector<float> normals(3 * n);
         kernel_table().normals(key.value(), canonical, begin, n, normals.data());
         kernel_table().normals(key.value(), last, begin, n, normals.data() + n);
         kernel_table().normals_of(key.value(), elements.data(), n, normals.data() + 2 * n);
         return normals;
       }))
    for (std::size_t i = 0; i < n; ++i) {
      const auto place = static_cast<std::int64_t>(begin + i);
      ASSERT_EQ(found[i], plain_normal(key, begin + i)) << i;
      ASSERT_EQ(found[n + i], plain_normal(key, static_cast<std::uint64_t>(last.canonical_index(place))))
          << i;
      ASSERT_EQ(found[2 * n + i], plain_normal(key, elements[i])) << i;
    }
}

TEST(Kernels, NormalsAreNormal) {
  // Kolmogorov's distance from Φ at a significance of 1e-6: 2.7/√n; moments within five standard errors.
  constexpr std::size_t n = 200000;
  std::vector<float> z(n);
  kernel_table().normals(Key(6).value(), UnitOrder::canonical(), 0, n, z.data());
  double mean = 0, square = 0, fourth = 0, neighbours = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += z[i];
    square += std::pow(z[i], 2);
    fourth += std::pow(z[i], 4);
    if (i > 0) neighbours += double{z[i]} * z[i - 1];
  }
  EXPECT_NEAR(mean / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96.0 / n));
  EXPECT_NEAR(neighbours / n, 0, 5 / std::sqrt(n));
  std::ranges::sort(z);
  double distance = 0;
  for (std::size_t i = 0; i < n; ++i)
    distance = std::max(distance,
                        std::abs(std::erfc(-z[i] / std::sqrt(2.0)) / 2 - (static_cast<double>(i) + 0.5) / n));
  EXPECT_LT(distance, 2.7 / std::sqrt(n));
}

TEST(Kernels, NormalsAreTheQuantilesOfTheirTail) {
  // The formula's promise, over its whole range: Φ(−z) = (k + ½)/2³² to the relative error that 2·10⁻⁶ of z
  // makes.
  for (std::uint64_t k = 0; k < 0x80000000U; k = k * 9 / 8 + 1) {
    const double z = plain::normal_of_bits(PlainOps(), static_cast<std::int32_t>(k));
    const double tail = (static_cast<double>(k) + 0.5) * 0x1p-32;
    EXPECT_NEAR(std::erfc(z / std::sqrt(2.0)) / 2 / tail, 1, 3e-6 * (1 + z * z)) << k;
    EXPECT_EQ(plain::normal_of_bits(PlainOps(), static_cast<std::int32_t>(k | 0x80000000U)), -z);
  }
}

TEST(Kernels, RowsHaveTheSameBitsOnEveryUnit) {
  constexpr std::int64_t stimuli = 3, units = 9001;
  for (const auto type : {ElementType::f32, ElementType::f64, ElementType::f16, ElementType::bf16}) {
    // Normal values with many digits; halves of any size.
    Stream stream{Key(1)};
    std::vector<float> single;
    std::vector<double> wide;
    std::vector<std::uint16_t> half;
    for (std::int64_t i = 0; i < stimuli * units; ++i) {
      wide.push_back(stream.normal());
      single.push_back(static_cast<float>(wide.back()));
      half.push_back(static_cast<std::uint16_t>(stream() & 0xBBFFU));  // no infinities, no NaN
    }
    const void* data = half.data();
    if (type == ElementType::f32) data = single.data();
    if (type == ElementType::f64) data = wide.data();
    LayerShape shape{.units = units, .inputs = 10, .weights = units};
    shape.activation = Activation::relu;
    const LayerPlan plan(shape, {{}, {.unit_fraction = 0.3, .noise = 0.1, .seed = 2}});
    const auto rows = on_every_unit([&] {
      LayerFold fold(plan, Key(3));
      fold.set_weights({data, type, 1, units, units, {}});
      for (const std::size_t measurement : {0U, 1U})
        fold.set_layer_change(measurement, View::of(std::span(wide).first(units)));
      fold.add({data, type, stimuli, units, units, {}});
      std::vector<std::uint64_t> bits;
      for (const std::size_t measurement : {0U, 1U})
        for (const double value : fold.row(measurement)) bits.push_back(std::bit_cast<std::uint64_t>(value));
      return bits;
    });
    for (const auto& row : rows) EXPECT_EQ(row, rows.front());
  }
}

}  // namespace
}  // namespace lrid::stats
