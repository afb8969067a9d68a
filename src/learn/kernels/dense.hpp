#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include "kernels.hpp"

// NOLINTNEXTLINE(google-build-namespaces): every target has its own
namespace lrid::learn::LRID_TARGET {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Strided = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;

inline void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, const double* a,
                     std::int64_t a_stride, const double* b, std::int64_t b_stride, double* result,
                     std::int64_t result_stride) {
  Eigen::Map<RowMajor, 0, Eigen::OuterStride<>>(result, n, m, Eigen::OuterStride<>(result_stride)).noalias() =
      Strided(a, n, inner, Eigen::OuterStride<>(a_stride)) *
      Strided(b, inner, m, Eigen::OuterStride<>(b_stride));
}

inline void add_gram(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign,
                     double* gram) {
  Eigen::Map<Eigen::MatrixXd>(gram, d, d)
      .selfadjointView<Eigen::Lower>()
      .rankUpdate(Strided(x, n, d, Eigen::OuterStride<>(stride)).transpose(), sign);
}

inline void eigenvectors(std::int64_t d, const double* gram, double* vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::Map<const Eigen::MatrixXd>(gram, d, d));
  Eigen::Map<RowMajor>(vectors, d, d) = solver.eigenvectors().rowwise().reverse();
}

inline void solve_ridge(std::int64_t d, const double* gram, std::int64_t stride, double scale,
                        double* scratch, double* b) {
  Eigen::Map<Eigen::MatrixXd> matrix(scratch, d, d);
  matrix.triangularView<Eigen::Lower>() = scale * Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(
                                                      gram, d, d, Eigen::OuterStride<>(stride));
  matrix.diagonal().array() += 1.0;
  Eigen::Map<Eigen::VectorXd> side(b, d);
  Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>>(matrix).solveInPlace(side);
}

constexpr DenseKernels dense_kernels = {
    .multiply = multiply, .add_gram = add_gram, .eigenvectors = eigenvectors, .solve_ridge = solve_ridge};

}  // namespace lrid::learn::LRID_TARGET
