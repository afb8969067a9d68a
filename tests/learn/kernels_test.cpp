// Every vector unit of this machine against plain C++ written from the definitions.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>

#include "learn/kernels/conv.hpp"
#include "learn/kernels/dense.hpp"
#include "learn/kernels/hinge.hpp"
#include "learn/kernels/split.hpp"

namespace lrid::learn {
namespace {

/// Calls `check` on every vector unit of this machine.
template <class Check>
void on_every_unit(const Check& check) {
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    hwy::GetChosenTarget().DeInit();
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    if constexpr (std::is_invocable_v<Check, std::int64_t>)
      check(targets & -targets);
    else
      check();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

template <class Scalar = double>
std::vector<Scalar> numbers(std::int64_t n, std::uint64_t seed) {
  std::vector<Scalar> result;
  for (std::uint64_t i = 0; i < to_size(n); ++i) result.push_back(static_cast<Scalar>(Key(seed).normal(i)));
  return result;
}

TEST(HingeKernels, PassAgreesWithTheDefinition) {
  constexpr std::int64_t n = 37, width = 20, problems = 7;  // odd: rows are taken in pairs, problems in fours
  const std::vector<double> x = numbers(n * width, 1), w = numbers(problems * width, 2);
  std::vector<int> labels, positive;
  for (int i = 0; i < n; ++i) labels.push_back(static_cast<int>(i * 7 % problems));
  for (int k = 0; k < problems; ++k) positive.push_back(k);
  on_every_unit([&] {
    std::vector<double> outputs(problems * n), loss(problems), sums(problems * width);
    std::vector<const double*> weights;
    std::vector<double*> to;
    for (std::int64_t k = 0; k < problems; ++k) {
      weights.push_back(w.data() + k * width);
      to.push_back(outputs.data() + k * n);
    }
    hinge_pass({x.data(), width, width, labels.data(), problems, positive.data(), weights.data(), to.data()},
               0, n, loss.data(), sums.data());
    for (std::int64_t k = 0; k < problems; ++k) {
      double expected_loss = 0;
      std::vector<double> expected_sum(width);
      for (std::int64_t i = 0; i < n; ++i) {
        const double y = labels[to_size(i)] == k ? 1 : -1;
        double output = 0;
        for (std::int64_t j = 0; j < width; ++j)
          output += x[to_size(i * width + j)] * w[to_size(k * width + j)];
        EXPECT_NEAR(outputs[to_size(k * n + i)], output, 1e-12);
        const double slack = std::max(0.0, 1 - y * output);
        expected_loss += slack * slack;
        for (std::int64_t j = 0; j < width; ++j)
          expected_sum[to_size(j)] += y * slack * x[to_size(i * width + j)];
      }
      EXPECT_NEAR(loss[to_size(k)], expected_loss, 1e-10);
      for (std::int64_t j = 0; j < width; ++j)
        EXPECT_NEAR(sums[to_size(k * width + j)], expected_sum[to_size(j)], 1e-11);
    }
  });
}

TEST(HingeKernels, LineAgreesWithTheDefinition) {
  for (const std::int64_t n : {1, 6, 64, 131}) {
    const std::vector<double> from = numbers(n, 3), to = numbers(n, 4);
    std::vector<double> y;
    for (std::int64_t i = 0; i < n; ++i) y.push_back(i % 3 == 0 ? 1 : -1);
    const double t = 0.7;
    double loss = 0, slope = 0, curvature = 0;
    for (std::size_t i = 0; i < to_size(n); ++i) {
      const double change = to[i] - from[i], slack = std::max(0.0, 1 - y[i] * (from[i] + t * change));
      loss += slack * slack;
      slope -= 2 * slack * y[i] * change;
      if (slack > 0) curvature += 2 * change * change;
    }
    on_every_unit([&] {
      const HingeLine line = hinge_line(n, y.data(), from.data(), to.data(), t);
      EXPECT_NEAR(line.loss, loss, 1e-11) << n;
      EXPECT_NEAR(line.slope, slope, 1e-11) << n;
      EXPECT_NEAR(line.curvature, curvature, 1e-11) << n;
    });
  }
}

TEST(SplitKernels, SortAnyNumberOfKeysAndFindTheBestSplit) {
  for (int count = 2; count <= 128; ++count) {
    std::vector<std::uint32_t> unsorted;
    std::uint32_t totals[split_classes] = {};
    for (int i = 0; i < count; ++i) {
      ++totals[i % split_classes];
      for (int l = 0; l < split_lanes; ++l) {
        const auto rank = static_cast<std::uint32_t>(Key(3).bits(to_size(i * split_lanes + l)) >> 48);
        unsorted.push_back(rank << 16 | 1U << 4 | static_cast<std::uint32_t>(i % split_classes));
      }
    }
    on_every_unit([&] {
      alignas(32) std::uint32_t keys[128 * split_lanes];
      std::ranges::copy(unsorted, keys);
      LaneSplits splits;
      find_lane_splits(keys, count, totals, &splits);
      for (int l = 0; l < split_lanes; ++l) {
        double left[split_classes] = {}, best = 0;
        for (int i = 0; i + 1 < count; ++i) {
          const std::uint32_t key = keys[i * split_lanes + l], next = keys[(i + 1) * split_lanes + l];
          ASSERT_LE(key, next) << count;
          ++left[key & 15U];
          if (key >> 16 == next >> 16) continue;
          double score = 0;
          for (int c = 0; c < split_classes; ++c)
            score +=
                left[c] * left[c] / (i + 1) + (totals[c] - left[c]) * (totals[c] - left[c]) / (count - i - 1);
          best = std::max(best, score);
          if (i == splits.position[l]) {
            EXPECT_NEAR(splits.score[l], score, 1e-4);
          }
        }
        EXPECT_NEAR(splits.score[l], best, 1e-4);
      }
    });
  }
}

TEST(SplitKernels, BinsAreScoredAndBounded) {
  std::vector<std::uint64_t> histogram(split_bins);
  std::uint32_t totals[split_classes] = {};
  for (std::uint64_t b = 0; b < split_bins; ++b)
    for (unsigned c = 0; c < split_classes; ++c) {
      const std::uint64_t weight = Key(5).bits(b * split_classes + c) >> 61;  // 0 to 7
      histogram[b] |= weight << (16 * c);
      totals[c] += static_cast<std::uint32_t>(weight);
    }
  const auto score = [&](const double* left) {
    double sums[2] = {}, squares[2] = {};
    for (int c = 0; c < split_classes; ++c)
      for (const int side : {0, 1}) {
        const double weight = side == 0 ? left[c] : totals[c] - left[c];
        sums[side] += weight;
        squares[side] += weight * weight;
      }
    return squares[0] / std::max(sums[0], 1.0) + squares[1] / std::max(sums[1], 1.0);
  };
  std::vector<double> scores;
  double left[split_classes] = {}, top = 0;
  for (const std::uint64_t bin : histogram) {
    for (unsigned c = 0; c < split_classes; ++c) left[c] += static_cast<double>(bin >> (16 * c) & 0xFFFFU);
    scores.push_back(score(left));
    top = std::max(top, scores.back());
  }
  on_every_unit([&] {
    const BinScores found = scan_bins(histogram.data(), totals);
    EXPECT_NEAR(found.top, top, 1e-3);
    EXPECT_GE(found.potential, found.top);
    const double least = top - 1;
    bool boundary[split_bins], inside[split_bins];
    EXPECT_EQ(find_bins(histogram.data(), totals, static_cast<float>(least), boundary, inside), 3);
    double before[split_classes] = {};
    for (std::size_t b = 0; b < split_bins; ++b) {
      if (std::abs(scores[b] - least) > 1e-3) {
        EXPECT_EQ(boundary[b], scores[b] >= least) << b;
      }
      // Some order of the samples in the bin: class by class. Its splits must not exceed an unmarked bin's
      // bound.
      double best = 0;
      for (unsigned c = 0; c < split_classes; ++c)
        for (std::uint64_t i = 0; i < (histogram[b] >> (16 * c) & 0xFFFFU); ++i) {
          ++before[c];
          best = std::max(best, score(before));
        }
      if (!inside[b]) {
        EXPECT_LT(std::min(best, best == scores[b] ? 0 : best), least + 1e-3) << b;
      }
    }
    EXPECT_EQ(find_bins(histogram.data(), totals, 1e6F, boundary, inside), 0);
  });
}

template <class Scalar>
class ConvKernelsOf : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ConvKernelsOf, Scalars);

/// The gradient itself is checked against finite differences in conv_mlp_test.cpp.
TYPED_TEST(ConvKernelsOf, AgreeOnEveryUnit) {
  using Scalar = TypeParam;
  constexpr std::int64_t samples = 45, positions = 3, patch = 6, step = 4, constants = 2;
  constexpr std::int64_t row_size = (positions - 1) * step + patch + constants, filters = 9;
  for (const std::int64_t classes : {3, 4}) {
    std::vector<ConvPart> parts;
    std::int64_t size = (patch + constants + 1) * filters, filter = 0;
    for (const auto& [count, pool] : {std::pair{2, Pool::none}, {3, Pool::max}, {4, Pool::mean}}) {
      const std::int64_t weights = size, bias = size + (pool == Pool::none ? positions : 1) * count * classes;
      parts.push_back({count, pool, filter, weights, bias});
      filter += count;
      size = bias + classes;
    }
    const std::vector<Scalar> x = numbers<Scalar>(samples * row_size, 6),
                              parameters = numbers<Scalar>(size, 7);
    std::vector<std::int64_t> rows;
    std::vector<int> labels;
    for (std::int64_t i = 0; i < samples; ++i) {
      rows.push_back(samples - 1 - i);
      labels.push_back(static_cast<int>(i % classes));
    }
    const ConvBatch<Scalar> batch = {positions,
                                     patch,
                                     constants,
                                     step,
                                     classes,
                                     filters,
                                     parts.data(),
                                     std::ssize(parts),
                                     parameters.data(),
                                     x.data(),
                                     row_size,
                                     rows.data(),
                                     samples};
    std::vector<std::vector<double>> outcomes;
    on_every_unit([&] {
      const ConvKernels<Scalar>& kernels = conv_kernels<Scalar>();
      std::vector<Scalar> scratch(to_size(kernels.scratch_size(batch))), gradient(to_size(size));
      std::vector<std::vector<Scalar>> result(parts.size(), std::vector<Scalar>(to_size(samples * classes)));
      std::vector<double> outcome = {
          kernels.add_gradient(batch, labels.data(), Scalar(0.1), gradient.data(), scratch.data())};
      std::vector<Scalar*> to;
      for (std::vector<Scalar>& of_part : result) to.push_back(of_part.data());
      kernels.probabilities(batch, to.data(), scratch.data());
      for (const std::vector<Scalar>& of_part : result) {
        outcome.insert(outcome.end(), of_part.begin(), of_part.end());
        for (std::int64_t i = 0; i < samples; ++i) {
          double sum = 0;
          for (std::int64_t c = 0; c < classes; ++c) sum += of_part[to_size(i * classes + c)];
          EXPECT_NEAR(sum, 1, 1e-5);
        }
      }
      std::vector<Scalar> rate(to_size(size), Scalar(0.01)),
          first = numbers<Scalar>(size, 8), second(to_size(size), Scalar(0.5)), moved = parameters;
      kernels.adam(size, 3, rate.data(), gradient.data(), first.data(), second.data(), moved.data());
      for (std::size_t i = 0; i < to_size(size); ++i) {
        const double m = 0.9 * Key(8).normal(i) + 0.1 * gradient[i],
                     v = 0.999 * 0.5 + 0.001 * gradient[i] * gradient[i];
        EXPECT_NEAR(moved[i],
                    parameters[i] - 0.01 * (m / (1 - std::pow(0.9, 3))) /
                                        (std::sqrt(v / (1 - std::pow(0.999, 3))) + 1e-8),
                    1e-5);
      }
      outcome.insert(outcome.end(), gradient.begin(), gradient.end());
      outcomes.push_back(outcome);
    });
    const double tolerance = sizeof(Scalar) == sizeof(float) ? 2e-5 : 1e-12;
    for (const std::vector<double>& outcome : outcomes)
      for (std::size_t i = 0; i < outcome.size(); ++i)
        ASSERT_NEAR(outcome[i], outcomes.back()[i], tolerance * std::max(1.0, std::abs(outcome[i]))) << i;
  }
}

/// The product as one chain of multiply-adds an element, along inner in parts of about 192.
template <class Scalar>
void expect_product(std::int64_t n, std::int64_t inner, std::int64_t m, bool a_transposed, bool b_transposed,
                    Scalar keep) {
  const std::int64_t a_stride = (a_transposed ? n : inner) + 2, b_stride = (b_transposed ? inner : m) + 3,
                     stride = m + 1;
  const auto a = numbers<Scalar>((a_transposed ? inner : n) * a_stride, 9),
             b = numbers<Scalar>((b_transposed ? m : inner) * b_stride, 10);
  const std::vector<Scalar> before = numbers<Scalar>(n * stride, 11);
  std::vector<Scalar> expected = before;
  const std::int64_t parts = std::max<std::int64_t>(1, (inner + 96) / 192),
                     part = std::max<std::int64_t>(1, (inner + parts - 1) / parts);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t first = 0; first == 0 || first < inner; first += part) {
        Scalar sum = 0;
        for (std::int64_t k = first; k < std::min(inner, first + part); ++k)
          sum = std::fma(a[to_size(a_transposed ? k * a_stride + i : i * a_stride + k)],
                         b[to_size(b_transposed ? j * b_stride + k : k * b_stride + j)], sum);
        Scalar& element = expected[to_size(i * stride + j)];
        element = std::fma(first == 0 ? keep : Scalar(1), element, sum);
      }
  on_every_unit([&](std::int64_t target) {
    std::vector<Scalar> result = before;
    multiply(n, inner, m, Factor<Scalar>{a.data(), a_stride, a_transposed},
             Factor<Scalar>{b.data(), b_stride, b_transposed}, keep, result.data(), stride);
    const bool is_fused = (target & (HWY_SSSE3 | HWY_SSE4 | HWY_EMU128 | HWY_SCALAR)) == 0;
    for (std::size_t i = 0; i < result.size(); ++i)
      if (is_fused)
        ASSERT_EQ(result[i], expected[i]) << i;
      else
        ASSERT_NEAR(result[i], expected[i], 1e4 * std::numeric_limits<Scalar>::epsilon()) << i;
  });
}

TEST(Products, AreTheSameBitsOnEveryUnitThatFusesAndForEveryLayout) {
  for (const std::int64_t n : {1, 6, 13, 200})
    for (const std::int64_t inner : {0, 1, 30, 288, 500})
      for (const std::int64_t m : {1, 8, 9, 33, 530}) {
        if (n * inner * m > 1 << 20) continue;
        for (const bool a_transposed : {false, true})
          for (const bool b_transposed : {false, true}) {
            SCOPED_TRACE(fmt::format("{} {} {} {} {}", n, inner, m, a_transposed, b_transposed));
            expect_product<double>(n, inner, m, a_transposed, b_transposed, 3);
            expect_product<float>(n, inner, m, a_transposed, b_transposed, 0);
          }
      }
}

TEST(Dense, GramMatricesAreSymmetricProducts) {
  constexpr std::int64_t n = 40, stride = 77;
  const std::vector<double> x = numbers(n * stride, 12);
  for (const std::int64_t d : {1, 5, 16, 17, 75})
    on_every_unit([&] {
      const std::int64_t gram_stride = d + 2;
      std::vector<double> gram(to_size(d * gram_stride), 7.0), product(to_size(d * d));
      add_gram(n, d, x.data(), stride, -1, gram.data(), gram_stride);
      multiply(d, n, d, Factor<double>{x.data(), stride, true}, Factor<double>{x.data(), stride}, 0,
               product.data(), d);
      for (std::int64_t j = 0; j < d; ++j)
        for (std::int64_t i = 0; i < gram_stride; ++i)
          ASSERT_EQ(gram[to_size(j * gram_stride + i)], i < j || i >= d ? 7 : 7 - product[to_size(i * d + j)])
              << i << " " << j;
    });
}

TEST(Dense, RidgeOfManyFeatures) {
  constexpr std::int64_t n = 90, d = 131;
  const std::vector<double> x = numbers(n * d, 13), side = numbers(d, 14);
  std::vector<double> gram(d * d), scratch(d * d), solution = side;
  add_gram(n, d, x.data(), d, 1, gram.data(), d);
  solve_ridge(d, gram.data(), d, 0.5, scratch.data(), solution.data());
  for (std::int64_t i = 0; i < d; ++i) {
    double value = solution[to_size(i)];
    for (std::int64_t j = 0; j < d; ++j)
      value += 0.5 * gram[to_size(std::min(i, j) * d + std::max(i, j))] * solution[to_size(j)];
    EXPECT_NEAR(value, side[to_size(i)], 1e-11);
  }
  gram[0] = -10;
  solution = side;
  solve_ridge(d, gram.data(), d, 0.5, scratch.data(), solution.data());
  EXPECT_EQ(solution, side) << "an indefinite matrix changes nothing";
}

TEST(Dense, AgreesWithTheDefinition) {
  constexpr std::int64_t n = 13, inner = 30, m = 5, stride = 33;
  const std::vector<double> a = numbers(n * stride, 9), b = numbers(inner * stride, 10);
  for (const bool transposed : {false, true}) {
    std::vector<double> turned(inner * n), result(n * m, 2.0);  // aᵀ
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < inner; ++k) turned[to_size(k * n + i)] = a[to_size(i * stride + k)];
    multiply(n, inner, m,
             transposed ? Factor<double>{turned.data(), n, true} : Factor<double>{a.data(), stride},
             Factor<double>{b.data(), stride}, 3, result.data(), m);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        double expected = 6;
        for (std::int64_t k = 0; k < inner; ++k)
          expected += a[to_size(i * stride + k)] * b[to_size(k * stride + j)];
        EXPECT_NEAR(result[to_size(i * m + j)], expected, 1e-12);
      }
  }

  constexpr std::int64_t d = 6;
  std::vector<double> gram(d * d), vectors(d * d), scratch(d * d), solution = numbers(d, 11);
  add_gram(n, d, a.data(), stride, 2, gram.data(), d);
  const auto entry = [&](std::int64_t i, std::int64_t j) {
    return gram[to_size(std::min(i, j) * d + std::max(i, j))];
  };
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j) {
      double expected = 0;
      for (std::int64_t row = 0; row < n; ++row)
        expected += 2 * a[to_size(row * stride + i)] * a[to_size(row * stride + j)];
      EXPECT_NEAR(entry(i, j), expected, 1e-12);
    }
  eigenvectors(d, gram.data(), vectors.data());
  double last = INFINITY;
  for (std::int64_t k = 0; k < d; ++k) {  // gram · v = λ v with λ = vᵀ gram v
    double value = 0;
    std::vector<double> product(d);
    for (std::int64_t i = 0; i < d; ++i) {
      for (std::int64_t j = 0; j < d; ++j) product[to_size(i)] += entry(i, j) * vectors[to_size(j * d + k)];
      value += product[to_size(i)] * vectors[to_size(i * d + k)];
    }
    for (std::int64_t i = 0; i < d; ++i)
      EXPECT_NEAR(product[to_size(i)], value * vectors[to_size(i * d + k)], 1e-10);
    EXPECT_LE(value, last);
    last = value;
  }
  const std::vector<double> side = solution;
  solve_ridge(d, gram.data(), d, 0.5, scratch.data(), solution.data());
  for (std::int64_t i = 0; i < d; ++i) {
    double value = solution[to_size(i)];
    for (std::int64_t j = 0; j < d; ++j) value += 0.5 * entry(i, j) * solution[to_size(j)];
    EXPECT_NEAR(value, side[to_size(i)], 1e-10);
  }
}

}  // namespace
}  // namespace lrid::learn
