#include <gtest/gtest.h>

#include <lrid/nn/padding.hpp>

namespace lrid::nn {
namespace {

// Worked by hand from architectures.md.
TEST(Padding, SameOfAnEvenPoolPadsTheEnd) {
  EXPECT_EQ(pads(Padding::same, 32, 3, 2), (Pads{0, 1, 16}));
}
TEST(Padding, SameOfAnOddPoolPadsBothEnds) {
  EXPECT_EQ(pads(Padding::same, 9, 3, 2), (Pads{1, 1, 5}));
}
TEST(Padding, SameOfAnEvenKernelPadsTheEndMore) {
  EXPECT_EQ(pads(Padding::same, 13, 4, 1), (Pads{1, 2, 13}));
}
TEST(Padding, SameNeverPadsNegatively) {
  EXPECT_EQ(pads(Padding::same, 7, 1, 2), (Pads{0, 0, 4}));
}
TEST(Padding, SameOfASingleCell) {
  EXPECT_EQ(pads(Padding::same, 1, 5, 1), (Pads{2, 2, 1}));
}
TEST(Padding, ValidPadsNothing) {
  EXPECT_EQ(pads(Padding::valid, 224, 11, 4), (Pads{0, 0, 54}));
}
TEST(Padding, ValidSaysWhenNothingFits) {
  EXPECT_LT(pads(Padding::valid, 10, 11, 4).output, 1);
}
TEST(Padding, FixedIgnoresTheInputSize) {
  EXPECT_EQ(pads(Padding::fixed, 224, 7, 2), (Pads{3, 3, 112}));
  EXPECT_EQ(pads(Padding::fixed, 223, 7, 2), (Pads{3, 3, 112}));
  EXPECT_EQ(pads(Padding::fixed, 8, 1, 2), (Pads{0, 0, 4}));
}
TEST(Padding, FixedOfStrideOneIsSame) {
  EXPECT_EQ(pads(Padding::fixed, 56, 3, 1), (Pads{1, 1, 56}));
}

}  // namespace
}  // namespace lrid::nn
