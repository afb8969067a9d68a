#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include <lrid/core/parallel.hpp>

namespace lrid {
namespace {

TEST(ParallelLoops, InsideEachOtherDoAllOfTheWork) {
  std::vector<int> sums(40, 0);
  parallel_each(sums.size(), [&](std::size_t i) {
    std::vector<int> parts(25, 0);
    parallel_each(parts.size(), [&](std::size_t j) { parts[j] = static_cast<int>(i * j); });
    for (const int part : parts) sums[i] += part;
  });
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], 300 * static_cast<int>(i));
}

TEST(ParallelLoops, HandOnWhatTheirBodiesThrow) {
  std::atomic<int> inner_loops{0};
  EXPECT_THROW(parallel_each(8,
                             [&](std::size_t i) {
                               if (i == 3) throw std::runtime_error("three");
                               std::atomic<int> count{0};
                               parallel_each(50, [&](std::size_t) { ++count; });
                               EXPECT_EQ(count, 50) << "a loop in a loop that is cancelled is whole";
                               ++inner_loops;
                             }),
               std::runtime_error);
  EXPECT_LE(inner_loops, 7);
}

}  // namespace
}  // namespace lrid
