// The kernels for this processor against those for every processor.
#include "kernels/kernels.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include <lrid/core/random.hpp>

namespace lrid::learn {
namespace {

std::vector<double> numbers(std::size_t n, std::uint64_t seed) {
  std::vector<double> result(n);
  for (std::size_t i = 0; i < n; ++i) result[i] = Key(seed).normal(i);
  return result;
}

TEST(Kernels, HingePassAgreesOnBothTargets) {
  const std::int64_t n = 37, width = 20;  // an odd number of rows: they are taken in pairs
  const std::vector<double> x = numbers(n * width, 1), w = numbers(5 * width, 2);
  std::vector<int> labels;
  for (int i = 0; i < n; ++i) labels.push_back(i * 7 % 5);
  const std::vector<int> positive = {0, 1, 2, 3, 4};
  std::vector<double> outputs[2], loss[2], sums[2];
  for (const bool best : {false, true}) {
    outputs[best].assign(5 * n, 0);
    loss[best].assign(5, 0);
    sums[best].assign(5 * width, 0);
    std::vector<const double*> weights;
    std::vector<double*> to;
    for (int k = 0; k < 5; ++k) {
      weights.push_back(w.data() + k * width);
      to.push_back(outputs[best].data() + k * n);
    }
    const HingeBatch batch = {x.data(), width,           width,          labels.data(),
                              5,        positive.data(), weights.data(), to.data()};
    (best ? kernels() : portable_kernels()).hinge.pass(batch, 0, n, loss[best].data(), sums[best].data());
  }
  for (int k = 0; k < 5; ++k) {
    double expected = 0;
    for (int i = 0; i < n; ++i) {
      double output = 0;
      for (int j = 0; j < width; ++j)
        output += x[static_cast<std::size_t>(i * width + j)] * w[static_cast<std::size_t>(k * width + j)];
      EXPECT_NEAR(outputs[0][static_cast<std::size_t>(k * n + i)], output, 1e-12);
      const double slack = std::max(0.0, 1 - (labels[static_cast<std::size_t>(i)] == k ? output : -output));
      expected += slack * slack;
    }
    EXPECT_NEAR(loss[0][static_cast<std::size_t>(k)], expected, 1e-10);
  }
  for (std::size_t i = 0; i < outputs[0].size(); ++i) EXPECT_NEAR(outputs[0][i], outputs[1][i], 1e-12);
  for (std::size_t i = 0; i < sums[0].size(); ++i) EXPECT_NEAR(sums[0][i], sums[1][i], 1e-11);
}

TEST(Kernels, LaneSplitsSortAnyNumberOfKeys) {
  for (int count = 2; count <= 128; ++count) {
    alignas(32) std::uint32_t keys[2][128 * 8];
    std::uint32_t totals[4] = {};
    for (int i = 0; i < count; ++i)
      for (int l = 0; l < 8; ++l) {
        const auto rank = static_cast<std::uint32_t>(
            Key(3).bits(std::uint64_t{8} * static_cast<std::uint64_t>(i) + static_cast<std::uint64_t>(l)) >>
            48);
        keys[0][i * 8 + l] = keys[1][i * 8 + l] = rank << 16 | 1U << 4 | static_cast<std::uint32_t>(i % 4);
      }
    for (int i = 0; i < count; ++i) ++totals[i % 4];
    LaneSplits splits[2];
    portable_kernels().split.lane_splits(keys[0], count, totals, &splits[0]);
    kernels().split.lane_splits(keys[1], count, totals, &splits[1]);
    for (int l = 0; l < 8; ++l) {
      double left[4] = {}, best = 0;
      for (int i = 0; i + 1 < count; ++i) {
        ASSERT_LE(keys[0][i * 8 + l], keys[0][(i + 1) * 8 + l]) << count;
        ASSERT_EQ(keys[0][i * 8 + l], keys[1][i * 8 + l]);
        ++left[keys[0][i * 8 + l] & 15U];
        if (keys[0][i * 8 + l] >> 16 == keys[0][(i + 1) * 8 + l] >> 16) continue;
        double score = 0;
        for (int c = 0; c < 4; ++c)
          score +=
              left[c] * left[c] / (i + 1) + (totals[c] - left[c]) * (totals[c] - left[c]) / (count - i - 1);
        best = std::max(best, score);
      }
      EXPECT_NEAR(splits[0].score[l], best, 1e-4);
      EXPECT_NEAR(splits[1].score[l], best, 1e-4);
    }
  }
}

// Code for AVX2 that other files could be linked to would crash where there is no AVX2; see kernels.cpp.
TEST(Kernels, LeakNoInstructions) {
#if defined(LRID_AVX2_OBJECT) && defined(NDEBUG)
  const std::string list = ::testing::TempDir() + "lrid_kernel_symbols";
  const std::string command = "nm -C '" LRID_AVX2_OBJECT "' > '" + list + "'";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "needs nm, of binutils";
  std::ifstream file(list);
  int seen = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.size() < 20 || std::string("WVuT").find(line[17]) == std::string::npos) continue;
    ++seen;
    const std::string name = line.substr(19);
    EXPECT_TRUE(name.find("EigenAvx2") != std::string::npos ||
                name.find("lrid::learn::avx2") != std::string::npos ||
                name.starts_with("DW.ref.__gxx_personality"))
        << name;
  }
  EXPECT_GT(seen, 10);
#else
  GTEST_SKIP() << "an optimised build for x86-64 is needed";
#endif
}

}  // namespace
}  // namespace lrid::learn
