#include "learn/pca.hpp"

#include <gtest/gtest.h>

#include "random_samples.hpp"

namespace lrid::learn {
namespace {

TEST(Pca, RotatesWithoutLossAndOrdersByVariance) {
  const Matrix x = testing::random_samples(40, 2, 5, 3, 1.0, 1).series();
  const Pca pca(x);
  const Matrix scores = x * pca.components();
  EXPECT_EQ(pca.rank(), 15);
  EXPECT_LT((scores * scores.transpose() - x * x.transpose()).cwiseAbs().maxCoeff(), 1e-10);
  for (Eigen::Index i = 0; i < scores.cols(); ++i)
    EXPECT_NEAR(scores.col(i).norm(), pca.singular_values()(i), 1e-10);
}

TEST(Pca, RankCountsRepeatedColumnsOnceAndSmallOnesToo) {
  Matrix x = testing::random_samples(30, 2, 4, 2, 0.0, 2).series();
  x.col(7) = x.col(6);  // as weightraw_norm repeats weightabs_norm
  x.col(5) *= 1e-6;     // above 1e-7 of the largest singular value
  EXPECT_EQ(Pca(x).rank(), 7);
  x.col(5) *= 1e-3;
  EXPECT_EQ(Pca(x).rank(), 6);
}

TEST(Pca, HasNoMoreComponentsThanSamples) {
  const Matrix x = testing::random_samples(6, 2, 4, 3, 0.0, 3).series();
  EXPECT_EQ(Pca(x).rank(), 6);
  EXPECT_EQ(Pca(x).components().cols(), 6);
}

}  // namespace
}  // namespace lrid::learn
