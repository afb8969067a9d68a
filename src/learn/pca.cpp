#include <algorithm>
#include <vector>

#include <lrid/learn/pca.hpp>

#include "kernels/kernels.hpp"

namespace lrid::learn {

namespace {

/// [d, d] column-major, lower triangle: xᵀx of the columns from `first` on.
std::vector<double> gram_of(const Matrix& x, Eigen::Index first) {
  const Eigen::Index d = x.cols() - first;
  std::vector<double> gram(static_cast<std::size_t>(d * d), 0.0);
  kernels().dense.add_gram(x.rows(), d, x.data() + first, x.cols(), 1.0, gram.data());
  return gram;
}

/// Columns from `first` on become themselves times `rotation`.
void rotate(Matrix& x, Eigen::Index first, const Matrix& rotation) {
  Matrix result(x.rows(), rotation.cols());
  kernels().dense.multiply(x.rows(), rotation.rows(), rotation.cols(), x.data() + first, x.cols(),
                           rotation.data(), rotation.cols(), result.data(), result.cols());
  x.rightCols(rotation.cols()) = result;
}

}  // namespace

Pca::Pca(const Eigen::Ref<const Matrix>& x) : scores_(x) {
  const Eigen::Index d = x.cols();
  if (d == 0) return;
  components_ = Matrix::Identity(d, d);
  singular_values_ = Eigen::VectorXd::Zero(d);
  // The Gram matrix's eigenvectors are the right ones for the large singular values; its rounding errors hide
  // the small. But once rotated, the columns tell large from small, and those that are small can be analysed
  // again among themselves, where nothing hides them.
  constexpr double resolved = 1e-3;
  for (Eigen::Index first = 0; first < d;) {
    Matrix rotation(d - first, d - first);
    kernels().dense.eigenvectors(d - first, gram_of(scores_, first).data(), rotation.data());
    rotate(scores_, first, rotation);
    rotate(components_, first, rotation);
    singular_values_.tail(d - first) = scores_.rightCols(d - first).colwise().norm().transpose();
    const double floor = resolved * singular_values_(first);
    if (floor <= 1e-20 * singular_values_(0)) break;
    while (first < d && singular_values_(first) > floor) ++first;
  }
  const Eigen::Index kept = std::min(x.rows(), d);
  scores_.conservativeResize(Eigen::NoChange, kept);
  components_.conservativeResize(Eigen::NoChange, kept);
  singular_values_.conservativeResize(kept);
  rank_ = (singular_values_.array() > tolerance * singular_values_(0)).count();
}

}  // namespace lrid::learn
