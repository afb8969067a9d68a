#include "dense.hpp"

#include <algorithm>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <lrid/core/error.hpp>

namespace lrid::learn {

void eigenvectors(std::int64_t d, const double* gram, double* vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::Map<const Eigen::MatrixXd>(gram, d, d));
  if (solver.info() != Eigen::Success)
    work_failed("principal components: the eigenvalues of {} features did not converge", d);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<RowMajor>(vectors, d, d) = solver.eigenvectors().rowwise().reverse();
}

void solve_ridge(std::int64_t d, const double* gram, std::int64_t stride, double scale, double* scratch,
                 double* b) {
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t i = j; i < d; ++i) scratch[j * d + i] = scale * gram[j * stride + i];
    scratch[j * d + j] += 1;
  }
  Eigen::Map<Eigen::MatrixXd> matrix(scratch, d, d);
  constexpr std::int64_t block = 48;  // the rest is products
  for (std::int64_t j = 0; j < d; j += block) {
    const std::int64_t size = std::min(block, d - j), left = d - j - size;
    Eigen::Ref<Eigen::MatrixXd> corner = matrix.block(j, j, size, size);
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(corner);
    if (factor.info() != Eigen::Success) return;
    if (left == 0) break;
    auto below = matrix.block(j + size, j, left, size);
    corner.triangularView<Eigen::Lower>().adjoint().solveInPlace<Eigen::OnTheRight>(below);
    add_gram(size, left, &matrix(j + size, j), d, -1, &matrix(j + size, j + size), d);
  }
  Eigen::Map<Eigen::VectorXd> side(b, d);
  matrix.triangularView<Eigen::Lower>().solveInPlace(side);
  matrix.triangularView<Eigen::Lower>().adjoint().solveInPlace(side);
}

}  // namespace lrid::learn
