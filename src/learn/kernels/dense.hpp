#pragma once

#include <cstdint>

namespace lrid::learn {

// Dense linear algebra: products for the widest vector unit of the machine, the rest by Eigen. Each call runs
// in the calling thread alone and gives the same bits whenever it is repeated, which OpenBLAS does not.

/// A factor of a product: row-major with `stride` elements from row to row, or the transpose of such a
/// matrix.
template <class Scalar>
struct Factor {
  const Scalar* data;
  std::int64_t stride;
  bool transposed = false;
};

/// result = keep · result + a · b, with a [n, inner], b [inner, m] and result [n, m] row-major.
void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<double> a, Factor<double> b,
              double keep, double* result, std::int64_t result_stride);
void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<float> a, Factor<float> b,
              float keep, float* result, std::int64_t result_stride);

// Gram matrices are [d, d], column-major; only the lower triangle is read and written.

/// gram += sign · xᵀx for x [n, d], row-major; `gram_stride` elements from column to column.
void add_gram(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign, double* gram,
              std::int64_t gram_stride);

/// Writes the eigenvectors, [d, d] row-major, one in each column, by descending eigenvalue. Throws WorkError
/// if the iteration does not converge.
void eigenvectors(std::int64_t d, const double* gram, double* vectors);

/// b = (1 + scale · gram)⁻¹ b for b [d] and the leading block of a Gram matrix with `stride` elements from
/// column to column. Leaves b unchanged if rounding has made the matrix indefinite. `scratch`: [d, d].
void solve_ridge(std::int64_t d, const double* gram, std::int64_t stride, double scale, double* scratch,
                 double* b);

}  // namespace lrid::learn
