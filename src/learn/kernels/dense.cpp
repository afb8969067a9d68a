#include "dense.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <lrid/core/error.hpp>

namespace lrid::learn {

namespace {

template <class Scalar>
using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Scalar>
using View = Eigen::Map<const RowMajor<Scalar>, 0, Eigen::OuterStride<>>;

template <class Scalar>
View<Scalar> view(Factor<Scalar> factor, std::int64_t rows, std::int64_t columns) {
  return factor.transposed ? View<Scalar>(factor.data, columns, rows, Eigen::OuterStride<>(factor.stride))
                           : View<Scalar>(factor.data, rows, columns, Eigen::OuterStride<>(factor.stride));
}

template <class Scalar>
void multiply_views(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<Scalar> a, Factor<Scalar> b,
                    Scalar keep, Scalar* result, std::int64_t result_stride) {
  Eigen::Map<RowMajor<Scalar>, 0, Eigen::OuterStride<>> to(result, n, m, Eigen::OuterStride<>(result_stride));
  if (keep == 0)
    to.setZero();
  else if (keep != 1)
    to *= keep;
  const View<Scalar> left = view(a, n, inner), right = view(b, inner, m);
  if (a.transposed && b.transposed)
    to.noalias() += left.transpose() * right.transpose();
  else if (a.transposed)
    to.noalias() += left.transpose() * right;
  else if (b.transposed)
    to.noalias() += left * right.transpose();
  else
    to.noalias() += left * right;
}

}  // namespace

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<double> a, Factor<double> b,
              double keep, double* result, std::int64_t result_stride) {
  multiply_views(n, inner, m, a, b, keep, result, result_stride);
}

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<float> a, Factor<float> b,
              float keep, float* result, std::int64_t result_stride) {
  multiply_views(n, inner, m, a, b, keep, result, result_stride);
}

void add_gram(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign,
              double* gram) {
  Eigen::Map<Eigen::MatrixXd>(gram, d, d)
      .selfadjointView<Eigen::Lower>()
      .rankUpdate(View<double>(x, n, d, Eigen::OuterStride<>(stride)).transpose(), sign);
}

void eigenvectors(std::int64_t d, const double* gram, double* vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::Map<const Eigen::MatrixXd>(gram, d, d));
  if (solver.info() != Eigen::Success)
    work_failed("principal components: the eigenvalues of {} features did not converge", d);
  Eigen::Map<RowMajor<double>>(vectors, d, d) = solver.eigenvectors().rowwise().reverse();
}

void solve_ridge(std::int64_t d, const double* gram, std::int64_t stride, double scale, double* scratch,
                 double* b) {
  Eigen::Map<Eigen::MatrixXd> matrix(scratch, d, d);
  matrix.triangularView<Eigen::Lower>() = scale * Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(
                                                      gram, d, d, Eigen::OuterStride<>(stride));
  matrix.diagonal().array() += 1.0;
  Eigen::Map<Eigen::VectorXd> side(b, d);
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(matrix);
  if (factor.info() == Eigen::Success) factor.solveInPlace(side);
}

}  // namespace lrid::learn
