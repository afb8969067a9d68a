#include <gtest/gtest.h>

#include <lrid/learn/metrics.hpp>

namespace lrid::learn {
namespace {

TEST(Metrics, ConfusionHasActualClassesInRows) {
  EXPECT_EQ(confusion_matrix({0, 0, 1, 2}, {0, 1, 1, 0}, 3), (Confusion{{1, 1, 0}, {0, 1, 0}, {1, 0, 0}}));
}

TEST(Metrics, OfAWorkedExample) {
  const Confusion confusion = {{8, 2, 0}, {1, 9, 0}, {4, 0, 6}};
  EXPECT_DOUBLE_EQ(accuracy(confusion), 23.0 / 30);
  const std::vector<double> balanced = balanced_accuracy(confusion);
  EXPECT_DOUBLE_EQ(balanced[0], (0.8 + 15.0 / 20) / 2);
  EXPECT_DOUBLE_EQ(balanced[1], (0.9 + 18.0 / 20) / 2);
  EXPECT_DOUBLE_EQ(balanced[2], (0.6 + 1.0) / 2);
  const std::vector<double> d = d_prime(confusion);
  // Z(0.8) − Z(0.25), Z(0.9) − Z(0.1), Z(0.6) − (−5): no false alarms, clipped.
  EXPECT_NEAR(d[0], 0.8416212335729143 + 0.6744897501960817, 1e-13);
  EXPECT_NEAR(d[1], 2 * 1.2815515655446004, 1e-13);
  EXPECT_NEAR(d[2], 0.2533471031357997 + 5, 1e-13);
}

TEST(Metrics, APerfectClassifierHasDPrimeTen) {
  EXPECT_EQ(d_prime({{3, 0}, {0, 3}}), (std::vector<double>{10, 10}));
}

}  // namespace
}  // namespace lrid::learn
