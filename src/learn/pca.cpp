#include "pca.hpp"

#include <algorithm>
#include <vector>

#include <lrid/core/index.hpp>

#include "kernels/dense.hpp"

namespace lrid::learn {

namespace {

/// [d, d] Gram matrix of the columns from `first` on, column-major, lower triangle.
std::vector<double> gram_of(const Matrix& x, Eigen::Index first) {
  const Eigen::Index d = x.cols() - first;
  std::vector<double> gram(to_size(d * d), 0.0);
  add_gram(x.rows(), d, x.data() + first, x.cols(), 1.0, gram.data(), d);
  return gram;
}

/// Multiplies the columns from `first` on by `rotation`.
void rotate(Matrix& x, Eigen::Index first, const Matrix& rotation) {
  Matrix result(x.rows(), rotation.cols());
  multiply(x.rows(), rotation.rows(), rotation.cols(), Factor<double>{x.data() + first, x.cols()},
           Factor<double>{rotation.data(), rotation.cols()}, 0, result.data(), result.cols());
  x.rightCols(rotation.cols()) = result;
}

}  // namespace

Pca::Pca(const Eigen::Ref<const Matrix>& x) : scores_(x) {
  const Eigen::Index d = x.cols();
  if (d == 0) return;
  components_ = Matrix::Identity(d, d);
  singular_values_ = Eigen::VectorXd::Zero(d);
  // Eigenvectors of the Gram matrix are accurate for large singular values; small ones drown in its rounding
  // errors. But the rotated columns separate large from small, and the small ones can be analysed again by
  // themselves.
  constexpr double resolved = 1e-3;
  for (Eigen::Index first = 0; first < d;) {
    Matrix rotation(d - first, d - first);
    eigenvectors(d - first, gram_of(scores_, first).data(), rotation.data());
    rotate(scores_, first, rotation);
    rotate(components_, first, rotation);
    singular_values_.tail(d - first) = scores_.rightCols(d - first).colwise().norm().transpose();
    const double least = resolved * singular_values_(first);
    if (least <= 1e-20 * singular_values_(0)) break;
    while (first < d && singular_values_(first) > least) ++first;
  }
  const Eigen::Index kept = std::min(x.rows(), d);
  scores_.conservativeResize(Eigen::NoChange, kept);
  components_.conservativeResize(Eigen::NoChange, kept);
  singular_values_.conservativeResize(kept);
  rank_ = (singular_values_.array() > tolerance * singular_values_(0)).count();
}

}  // namespace lrid::learn
