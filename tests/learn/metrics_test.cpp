#include <cmath>

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
  // scipy.stats.norm.ppf: Z(8.5/11) − Z(5.5/21), Z(9.5/11) − Z(2.5/21), Z(6.5/11) − Z(0.5/21).
  EXPECT_NEAR(d[0], 1.385342755725679, 1e-12);
  EXPECT_NEAR(d[1], 2.276564679705374, 1e-12);
  EXPECT_NEAR(d[2], 2.2106365142265108, 1e-12);
}

/// It grows with the number of samples: 10 of 10 says more than 3 of 3.
TEST(Metrics, DPrimeOfAPerfectClassifierIsFinite) {
  EXPECT_NEAR(d_prime({{3, 0}, {0, 3}})[0], 2 * 1.1503493803760079, 1e-12);    // Z(3.5/4)
  EXPECT_NEAR(d_prime({{10, 0}, {0, 10}})[1], 2 * 1.6906216295848984, 1e-12);  // Z(10.5/11)
  EXPECT_TRUE(std::isnan(d_prime({{3, 0}, {0, 0}})[1]));
}

}  // namespace
}  // namespace lrid::learn
