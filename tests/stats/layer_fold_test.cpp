#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/stats/distribution.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "reference.hpp"

namespace lrid::stats {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> draw(std::size_t n, std::uint64_t seed) {
  Stream stream{Key(seed)};
  std::vector<double> values(n);
  for (double& value : values) value = stream.normal();
  return values;
}

double at(const ObservableRow& row, const char* name) {
  return row[static_cast<std::size_t>(observable_index(name))];
}

/// Bit patterns, so that NaN equals NaN.
std::vector<std::uint64_t> bits(const ObservableRow& row) {
  std::vector<std::uint64_t> result;
  for (const double value : row) result.push_back(std::bit_cast<std::uint64_t>(value));
  return result;
}

TEST(LayerFold, AveragesTheStimuliAndTakesWeightsAsOneSet) {
  constexpr std::int64_t stimuli = 5, units = 33;
  const auto y = draw(stimuli * units, 1), w = draw(70, 2);
  const LayerPlan plan({.units = units, .weights = 70});
  LayerFold fold(plan, Key(0));
  fold.set_weights(View::of(w));
  fold.add(View::of(y, stimuli));
  const ObservableRow row = fold.row(0);
  EXPECT_EQ(fold.stimuli(), stimuli);

  const Distribution weights = reference::describe(w);
  for (const Observable& o : observables()) {
    const double found = row[static_cast<std::size_t>(observable_index(o.name))];
    if (o.measure == Measure::weight) {
      EXPECT_NEAR(found, weights(o.function, o.statistic), 1e-11) << o.name;
    } else if (o.measure == Measure::activation) {
      double mean = 0;
      for (std::int64_t s = 0; s < stimuli; ++s)
        mean += reference::describe(std::vector(y.begin() + s * units, y.begin() + (s + 1) * units))(
            o.function, o.statistic);
      EXPECT_NEAR(found, mean / stimuli, 1e-11) << o.name;
    } else {
      EXPECT_TRUE(std::isnan(found)) << o.name;  // S was not given
    }
  }
}

TEST(LayerFold, WhatWasNotGivenIsNaN) {
  const LayerPlan plan({.units = 3, .weights = 3});
  const LayerFold fold(plan, Key(0));
  for (const double value : fold.row(0)) EXPECT_TRUE(std::isnan(value));
}

TEST(LayerFold, ANaNStimulusMakesTheMeanNaN) {
  auto y = draw(40, 1);
  y[17] = nan;
  const LayerPlan plan({.units = 10, .weights = 0});
  LayerFold fold(plan, Key(0));
  fold.add(View::of(y, 4));
  EXPECT_TRUE(std::isnan(at(fold.row(0), "actraw_mean")));
}

std::vector<Imperfection> grid() {
  return {{},
          {.unit_fraction = 0.3, .noise = 0, .seed = 5},
          {.unit_fraction = 1, .noise = 0.5, .seed = 5},
          {.unit_fraction = 0.3, .noise = 0.5, .seed = 5}};
}

TEST(LayerFold, DependsNeitherOnThreadsNorOnChunksNorOnStrides) {
  constexpr std::int64_t stimuli = 37, units = 301;
  const auto y = draw(stimuli * units, 3), s = draw(units, 4), w = draw(500, 5);
  LayerShape shape{.units = units, .inputs = 50, .weights = 500};
  shape.activation = Activation::relu;
  const LayerPlan plan(shape, grid());
  const auto measure = [&](int threads, std::int64_t chunk, std::int64_t stride) {
    const ThreadLimit limit(threads);
    std::vector<double> spread(static_cast<std::size_t>(stimuli * stride), nan);
    for (std::int64_t r = 0; r < stimuli; ++r)
      std::copy_n(y.begin() + r * units, units, spread.begin() + r * stride);
    LayerFold fold(plan, Key(9));
    fold.set_weights(View::of(w));
    for (std::size_t measurement = 0; measurement < plan.measurements().size(); ++measurement)
      fold.set_layer_change(measurement, View::of(s));
    for (std::int64_t first = 0; first < stimuli; first += chunk)
      fold.add({spread.data() + first * stride,
                ElementType::f64,
                std::min(chunk, stimuli - first),
                units,
                stride,
                {}});
    std::vector<std::vector<std::uint64_t>> rows;
    for (std::size_t measurement = 0; measurement < plan.measurements().size(); ++measurement)
      rows.push_back(bits(fold.row(measurement)));
    return rows;
  };
  const auto expected = measure(1, stimuli, units);
  EXPECT_EQ(measure(4, stimuli, units), expected);
  EXPECT_EQ(measure(4, 5, units), expected);
  EXPECT_EQ(measure(2, 1, units + 13), expected);
}

TEST(LayerFold, ReadsAllElementTypes) {
  // Multiples of 1/16 below 8: exact in all four types.
  constexpr std::int64_t stimuli = 3, units = 50;
  std::vector<float> single(stimuli * units);
  std::vector<std::uint16_t> half, brain;
  for (std::size_t i = 0; i < single.size(); ++i) {
    single[i] = static_cast<float>(static_cast<int>(i * 37 % 255) - 127) / 16;
    const auto b = std::bit_cast<std::uint32_t>(single[i]);
    brain.push_back(static_cast<std::uint16_t>(b >> 16));
    const int exponent = static_cast<int>((b >> 23) & 0xFF) - 127;
    half.push_back(single[i] == 0 ? std::uint16_t{0}
                                  : static_cast<std::uint16_t>(((b >> 16) & 0x8000) |
                                                               static_cast<unsigned>(exponent + 15) << 10 |
                                                               ((b >> 13) & 0x3FF)));
  }
  const std::vector<double> wide(single.begin(), single.end());
  const LayerPlan plan({.units = units, .weights = 0});
  const auto measure = [&](const void* data, ElementType type) {
    LayerFold fold(plan, Key(0));
    fold.add({data, type, stimuli, units, units, {}});
    return bits(fold.row(0));
  };
  const auto expected = measure(wide.data(), ElementType::f64);
  EXPECT_EQ(measure(single.data(), ElementType::f32), expected);
  EXPECT_EQ(measure(half.data(), ElementType::f16), expected);
  EXPECT_EQ(measure(brain.data(), ElementType::bf16), expected);

  // Halves that are special: −∞, subnormal 2⁻²⁴, −0, NaN.
  const auto mean_of = [](std::uint16_t value) {
    const LayerPlan one({.units = 1, .weights = 0});
    LayerFold fold(one, Key(0));
    fold.add({&value, ElementType::f16, 1, 1, 1, {}});
    return at(fold.row(0), "actraw_mean");
  };
  EXPECT_EQ(mean_of(0xFC00), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(mean_of(0x0001), 0x1p-24);
  EXPECT_EQ(mean_of(0x8000), 0);
  EXPECT_TRUE(std::isnan(mean_of(0x7E00)));
}

TEST(LayerFold, RefusesAViewOfAnotherSizeOrDevice) {
  const LayerPlan plan({.units = 10, .weights = 4});
  LayerFold fold(plan, Key(0));
  const auto y = draw(9, 1);
  EXPECT_THROW(fold.add(View::of(y)), WorkError);
  EXPECT_THROW(fold.set_weights(View::of(y)), WorkError);
  View view = View::of(draw(10, 1));
  view.device.kind = Device::Kind::cuda;
  EXPECT_THROW(fold.add(view), WorkError);
}

// --- Layer change --------------------------------------------------------------------------------------

/// A fully connected layer y = φ(Wx), its Jacobian summed literally.
TEST(LayerFold, LayerChangeIsTheMeanJacobianSum) {
  constexpr std::size_t inputs = 7, outputs = 11;
  const auto w = draw(outputs * inputs, 1), x = draw(3 * inputs, 2);
  LayerShape shape{.units = outputs, .inputs = inputs, .weights = outputs * inputs};
  for (const Activation activation : {Activation::identity, Activation::relu}) {
    shape.activation = activation;
    const LayerPlan plan(shape, {{}, {.unit_fraction = 0.4, .seed = 8}});
    for (std::size_t measurement = 0; measurement < 2; ++measurement) {
      const bool whole = measurement == 0;
      const auto kept_inputs = plan.kept_inputs(measurement);
      const UnitSubset kept_outputs(outputs, whole ? to_index(outputs) : kept_count(outputs, 0.4),
                                    9);  // seed + 1
      const auto keeps = [&](std::size_t j) { return kept_outputs[static_cast<std::int64_t>(j)]; };
      std::vector<double> s(outputs, 0.0), y;
      for (std::size_t j = 0; j < outputs; ++j)
        for (std::size_t i = 0; i < inputs; ++i) s[j] += w[j * inputs + i] * kept_inputs[i];
      std::array<double, 3> expected{};
      for (std::size_t n = 0; n < 3; ++n) {
        double g = 0;
        for (std::size_t j = 0; j < outputs; ++j) {
          double sum = 0;
          for (std::size_t i = 0; i < inputs; ++i) sum += w[j * inputs + i] * x[n * inputs + i];
          const bool active = activation == Activation::identity || sum > 0;
          y.push_back(active ? sum : 0);
          for (std::size_t i = 0; i < inputs; ++i)
            if (active && keeps(j) && kept_inputs[i] != 0) g += w[j * inputs + i];
        }
        g /= whole ? 11 : 5;
        expected[0] += g / 3, expected[1] += std::abs(g) / 3, expected[2] += g * g / 3;
      }
      EXPECT_EQ(std::count(kept_inputs.begin(), kept_inputs.end(), 1), whole ? 7 : 3);
      LayerFold fold(plan, Key(0));
      fold.set_layer_change(measurement, View::of(s));
      fold.add(View::of(y, 3));
      EXPECT_NEAR(at(fold.row(measurement), "gradavgraw_id"), expected[0], 1e-13);
      EXPECT_NEAR(at(fold.row(measurement), "gradavgabs_id"), expected[1], 1e-13);
      EXPECT_NEAR(at(fold.row(measurement), "gradavgsq_id"), expected[2], 1e-13);
    }
  }
}

TEST(LayerFold, LayerChangeNoiseHasTheVarianceOfAllInputsTogether) {
  constexpr std::int64_t units = 20, inputs = 90, stimuli = 4000;
  constexpr double sigma = 0.3;
  LayerShape shape{.units = units, .inputs = inputs, .weights = 0};
  const LayerPlan plan(shape, {{.unit_fraction = 0.5, .noise = sigma, .seed = 2}});
  LayerFold fold(plan, Key(3));
  fold.set_layer_change(0, View::of(std::vector<double>(units, 0.0)));
  fold.add(View::of(std::vector<double>(units * stimuli, 1.0), stimuli));
  // g ~ N(0, 45·σ²/10²); the mean of g² has a relative standard error of √(2/4000).
  const double variance = 45 * sigma * sigma / 100;
  EXPECT_NEAR(at(fold.row(0), "gradavgsq_id") / variance, 1, 5 * std::sqrt(2.0 / stimuli));
  EXPECT_NEAR(at(fold.row(0), "gradavgraw_id"), 0, 5 * std::sqrt(variance / stimuli));
}

TEST(LayerFold, MeasuredLayerChangeCountsForPerfectCellsOnly) {
  const LayerPlan plan({.units = 1, .weights = 0}, grid());
  LayerFold fold(plan, Key(0));
  fold.set_measured_layer_change(std::vector<double>{1, -3});
  EXPECT_EQ(at(fold.row(0), "gradavgraw_id"), -1);
  EXPECT_EQ(at(fold.row(0), "gradavgabs_id"), 2);
  EXPECT_EQ(at(fold.row(0), "gradavgsq_id"), 5);
  for (std::size_t measurement = 1; measurement < 4; ++measurement)
    EXPECT_TRUE(std::isnan(at(fold.row(measurement), "gradavgraw_id")));
}

// --- Imperfect measurement -----------------------------------------------------------------------------

TEST(LayerFold, AMeasurementAloneHasTheBitsThatItHasInAGrid) {
  constexpr std::int64_t stimuli = 3, units = 6000;
  const auto y = draw(stimuli * units, 1), s = draw(units, 2);
  LayerShape shape{.units = units, .inputs = 30, .weights = units};
  shape.activation = Activation::relu;
  shape.unit_order = UnitOrder::channels_last(20, 100);
  std::vector<Imperfection> measurements;
  for (const double fraction : {1.0, 0.3, 0.02})
    for (const double noise : {0.0, 0.01, 0.1}) measurements.push_back({fraction, noise, 4});
  measurements.push_back({0.3, 0.1, 5});
  const auto measure = [&](const std::vector<Imperfection>& wanted) {
    const LayerPlan plan(shape, wanted);
    LayerFold fold(plan, Key(9));
    fold.set_weights(View::of(s));
    for (std::size_t measurement = 0; measurement < wanted.size(); ++measurement)
      fold.set_layer_change(measurement, View::of(s));
    fold.add(View::of(y, stimuli));
    std::vector<std::vector<std::uint64_t>> rows;
    for (std::size_t measurement = 0; measurement < wanted.size(); ++measurement)
      rows.push_back(bits(fold.row(measurement)));
    return rows;
  };
  const auto all = measure(measurements);
  for (std::size_t measurement = 0; measurement < measurements.size(); ++measurement) {
    EXPECT_EQ(measure({measurements[measurement]}).front(), all[measurement]) << measurement;
    for (std::size_t other = 0; other < measurement; ++other) EXPECT_NE(all[measurement], all[other]);
  }
}

TEST(LayerFold, SubsetsAreTheSameUnitsForEveryStimulusAndPoint) {
  constexpr std::int64_t stimuli = 4, units = 50;
  std::vector<double> y(stimuli * units);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>(i % units);
  const LayerPlan plan({.units = units, .weights = units}, {{.unit_fraction = 0.2, .seed = 4}});
  const UnitSubset kept(units, kept_count(units, 0.2), 4);
  double mean = 0;
  for (std::int64_t unit = 0; unit < units; ++unit)
    if (kept[unit]) mean += static_cast<double>(unit) / 10;
  for (const std::uint64_t point : {0U, 1U}) {
    LayerFold fold(plan, Key(point));
    fold.add(View::of(y, stimuli));
    fold.set_weights(View::of(std::span(y).first(units)));
    EXPECT_DOUBLE_EQ(at(fold.row(0), "actraw_mean"), mean);
    EXPECT_DOUBLE_EQ(at(fold.row(0), "weightraw_mean"), mean);
  }
}

/// By which power of a scale of the data an observable is scaled.
int power_of_scale(const Observable& o) {
  const int value = o.function == Function::square ? 2 : 1;
  if (o.statistic == Statistic::skew || o.statistic == Statistic::kurtosis) return 0;
  return o.statistic == Statistic::variance ? 2 * value : value;
}

TEST(LayerFold, RelativeNoiseIsFreeOfScale) {
  constexpr std::int64_t stimuli = 3, units = 5000;
  const auto y = draw(stimuli * units, 1), w = draw(units, 2);
  LayerShape shape{.units = units, .inputs = 30, .weights = units};
  for (const Activation activation : {Activation::identity, Activation::relu}) {
    shape.activation = activation;
    const auto measure = [&](double scale, NoiseUnit unit) {
      const auto scaled = [&](std::vector<double> values) {
        for (double& value : values) value *= scale;
        return values;
      };
      const LayerPlan plan(shape, {{.unit_fraction = 0.4, .noise = 0.7, .seed = 5, .noise_unit = unit}});
      LayerFold fold(plan, Key(9));
      const auto weights = scaled(w), activations = scaled(y);
      fold.set_weights(View::of(weights));
      fold.set_layer_change(0, View::of(weights));
      fold.add(View::of(activations, stimuli));
      return fold.row(0);
    };
    // By a power of two nothing is rounded; by 1000 statistics without a scale stay the same.
    const ObservableRow one = measure(1, NoiseUnit::relative), larger = measure(1024, NoiseUnit::relative),
                        thousand = measure(1000, NoiseUnit::relative);
    for (std::size_t k = 0; k < one.size(); ++k) {
      const Observable& o = observables()[k];
      EXPECT_EQ(larger[k], std::ldexp(one[k], 10 * power_of_scale(o))) << o.name;
      EXPECT_NEAR(thousand[k] / std::pow(1000.0, power_of_scale(o)), one[k], 1e-9 * (1 + std::abs(one[k])))
          << o.name;
    }
    const auto kurtosis = static_cast<std::size_t>(observable_index("actraw_kurtosis"));
    const auto change = static_cast<std::size_t>(observable_index("gradavgraw_id"));
    const ObservableRow absolute = measure(1, NoiseUnit::absolute);
    EXPECT_NE(measure(1024, NoiseUnit::absolute)[kurtosis], absolute[kurtosis]);
    EXPECT_NE(one[change], absolute[change]);
  }
}

TEST(LayerFold, RelativeNoiseCountsStandardDeviationsOfTheWholeSet) {
  constexpr std::int64_t units = 20000;
  // ±3 around 100: standard deviation 3. Two of them as noise: variance 9 + 36.
  std::vector<double> y(units);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = i % 2 == 0 ? 97 : 103;
  const LayerPlan plan({.units = units, .weights = 0},
                       {{.noise = 2, .seed = 1, .noise_unit = NoiseUnit::relative},
                        {.noise = 2, .seed = 1, .units = 400, .noise_unit = NoiseUnit::relative}});
  LayerFold fold(plan, Key(3));
  fold.add(View::of(y));
  EXPECT_NEAR(at(fold.row(0), "actraw_var"), 45, 1.5);
  EXPECT_NEAR(at(fold.row(1), "actraw_var"), 45, 12);

  // A set that does not vary gets no noise, and lost units have no part in the standard deviation.
  LayerFold constant(plan, Key(3));
  const std::vector<double> same(units, 4.0);
  constant.add(View::of(same));
  EXPECT_EQ(at(constant.row(0), "actraw_var"), 0);
  const LayerPlan lossy({.units = units, .weights = 0, .missing = Missing::leave_out},
                        {{.noise = 2, .seed = 1, .noise_unit = NoiseUnit::relative}});
  LayerFold with_lost(lossy, Key(3));
  for (std::size_t i = 0; i < 100; ++i) y[i * 7] = nan;
  with_lost.add(View::of(y));
  EXPECT_NEAR(at(with_lost.row(0), "actraw_var"), 45, 1.5);
}

TEST(LayerFold, ANumberOfUnitsIsTheFractionOfThatManyAndAllOfSmallerSets) {
  constexpr std::int64_t stimuli = 2, units = 50;
  const auto y = draw(stimuli * units, 1), w = draw(6, 2);
  const LayerPlan plan({.units = units, .inputs = 40, .weights = 6},
                       {{}, {.unit_fraction = 0.2, .seed = 4}, {.seed = 4, .units = 10}});
  LayerFold fold(plan, Key(1));
  fold.set_weights(View::of(w));
  fold.add(View::of(y, stimuli));
  const ObservableRow all = fold.row(0), fraction = fold.row(1), number = fold.row(2);
  EXPECT_EQ(at(number, "actraw_mean"), at(fraction, "actraw_mean"));
  EXPECT_NE(at(number, "actraw_mean"), at(all, "actraw_mean"));
  EXPECT_EQ(at(number, "weightraw_mean"), at(all, "weightraw_mean"));
  const auto seen = plan.kept_inputs(2);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 10);
}

TEST(LayerFold, NoiseHasItsSdIsNewForEveryPlaceAndComesBeforeSubsampling) {
  constexpr std::int64_t stimuli = 2, units = 20000;
  const std::vector<double> zeros(stimuli * units, 0.0);
  const LayerPlan plan({.units = units, .weights = units}, {{.unit_fraction = 1, .noise = 0.5, .seed = 1},
                                                            {.unit_fraction = 0.1, .noise = 0.5, .seed = 1}});
  const auto measure = [&](Key where) {
    LayerFold fold(plan, where);
    fold.set_weights(View::of(std::span(zeros).first(units)));
    fold.add(View::of(zeros, stimuli));
    return fold.row(0);
  };
  const ObservableRow row = measure(Key(1));
  EXPECT_NEAR(at(row, "weightraw_var"), 0.25, 5 * 0.25 * std::sqrt(2.0 / units));
  EXPECT_NEAR(at(row, "actraw_var"), 0.25, 5 * 0.25 * std::sqrt(2.0 / units));
  EXPECT_NE(at(row, "actraw_mean"), at(row, "weightraw_mean"));
  EXPECT_EQ(bits(row), bits(measure(Key(1))));
  EXPECT_NE(at(row, "actraw_mean"), at(measure(Key(2)), "actraw_mean"));
  // Two stimuli have their own noise: were it the same, their mean would be that of the first alone.
  LayerFold one(plan, Key(1));
  one.add(View::of(std::span(zeros).first(units)));
  EXPECT_NE(at(row, "actraw_mean"), at(one.row(0), "actraw_mean"));
}

TEST(LayerFold, ChannelsLastGivesTheSameNumbers) {
  constexpr std::int64_t channels = 6, positions = 35, units = channels * positions, stimuli = 3;
  const auto y = draw(stimuli * units, 1), s = draw(units, 2);
  const UnitOrder order = UnitOrder::channels_last(channels, positions);
  std::vector<double> y_last(y.size()), s_last(s.size());
  for (std::int64_t i = 0; i < units; ++i) {
    const std::int64_t m = order.memory_index(i);
    s_last[static_cast<std::size_t>(m)] = s[static_cast<std::size_t>(i)];
    for (std::int64_t r = 0; r < stimuli; ++r)
      y_last[static_cast<std::size_t>(r * units + m)] = y[static_cast<std::size_t>(r * units + i)];
  }
  LayerShape shape{.units = units, .inputs = 10, .weights = units};
  shape.activation = Activation::relu;
  LayerShape shape_last = shape;
  shape_last.unit_order = shape_last.weight_order = order;
  const LayerPlan plan(shape, grid()), plan_last(shape_last, grid());
  LayerFold fold(plan, Key(1)), fold_last(plan_last, Key(1));
  fold.set_weights(View::of(s));
  fold_last.set_weights(View::of(s_last));
  for (std::size_t measurement = 0; measurement < 4; ++measurement) {
    fold.set_layer_change(measurement, View::of(s));
    fold_last.set_layer_change(measurement, View::of(s_last));
  }
  fold.add(View::of(y, stimuli));
  fold_last.add(View::of(y_last, stimuli));
  for (std::size_t measurement = 0; measurement < 4; ++measurement) {
    const ObservableRow a = fold.row(measurement), b = fold_last.row(measurement);
    for (std::size_t k = 0; k < a.size(); ++k)
      EXPECT_NEAR(a[k], b[k], 1e-12 * (1 + std::abs(a[k]))) << measurement << " " << observables()[k].name;
  }
}

/// MB of physical memory that the process has held at most since forget_peak(); 0 where nobody knows.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1000;
  return 0;
}
bool forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << 5 << std::flush;
  return file.good();
}

TEST(LayerFold, TenCellsOfALargeKernelNeedLittleMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need memory of their own";
#endif
  if (!forget_peak()) GTEST_SKIP() << "the memory that a process holds is not known here";
  constexpr std::int64_t entries = 37'748'736;  // AlexNet's largest kernel, 9216 × 4096
  std::vector<float> kernel(entries);
  for (std::size_t i = 0; i < kernel.size(); ++i)
    kernel[i] = static_cast<float>(static_cast<std::int64_t>(i * 2654435761 % 1000003) - 500001);
  std::vector<Imperfection> measurements(10);
  for (std::size_t i = 1; i < measurements.size(); ++i)
    measurements[i] = {.unit_fraction = std::array{1.0, 0.3, 0.1}[i % 3],
                       .noise = std::array{0.0, 0.1, 0.2, 0.3}[i / 3]};
  ASSERT_TRUE(forget_peak());
  const double before = peak_megabytes();
  const LayerPlan plan({.units = 1, .weights = entries}, measurements);
  LayerFold fold(plan, Key(0));
  fold.set_weights(View::of(kernel));
  EXPECT_FALSE(std::isnan(at(fold.row(9), "weightraw_mean")));
  std::cout << "memory beyond the input: " << peak_megabytes() - before << " MB\n";
  EXPECT_LT(peak_megabytes() - before, 64);
}

TEST(LayerFold, LostCellsAreLeftOutBeforeSubsampling) {
  constexpr std::int64_t units = 40;
  auto y = draw(2 * units, 1), w = draw(units, 2);
  for (std::size_t i = 0; i < units; i += 4) y[i] = nan;  // lost in the first stimulus only
  w[3] = nan;
  LayerShape shape{.units = units, .inputs = 0, .weights = units};
  shape.missing = Missing::leave_out;
  const LayerPlan plan(shape, {{}, {.unit_fraction = 0.5, .seed = 6}});
  LayerFold fold(plan, Key(0));
  fold.set_weights(View::of(w));
  fold.add(View::of(y, 2));

  /// Mean of the first ⌈f·(those there)⌉ in the order of the permutation.
  const auto mean = [&](std::span<const double> values, double fraction) {
    std::vector<std::pair<std::uint64_t, double>> there;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i]))
        there.emplace_back(UnitSubset::hash(units, 6, static_cast<std::int64_t>(i)), values[i]);
    std::ranges::sort(there);
    const auto kept = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(there.size())));
    double sum = 0;
    for (std::size_t i = 0; i < kept; ++i) sum += there[i].second;
    return sum / static_cast<double>(kept);
  };
  const std::span<const double> all(y);
  for (std::size_t measurement = 0; measurement < 2; ++measurement) {
    const double fraction = measurement == 0 ? 1.0 : 0.5;
    EXPECT_NEAR(at(fold.row(measurement), "actraw_mean"),
                (mean(all.first(units), fraction) + mean(all.subspan(units), fraction)) / 2, 1e-14);
    EXPECT_NEAR(at(fold.row(measurement), "weightraw_mean"), mean(w, fraction), 1e-14);
  }
}

}  // namespace
}  // namespace lrid::stats
