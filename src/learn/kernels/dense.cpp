#include "dense.hpp"

#include <algorithm>
#include <vector>

#include <cblas.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

// LAPACK's routines, which are part of OpenBLAS; Fortran passes everything by reference.
extern "C" {
void dsyevd_(const char* job, const char* triangle, const blasint* n, double* a, const blasint* stride,
             double* eigenvalues, double* work, const blasint* work_size, blasint* integer_work,
             const blasint* integer_work_size, blasint* info);
void dpotrf_(const char* triangle, const blasint* n, double* a, const blasint* stride, blasint* info);
void dpotrs_(const char* triangle, const blasint* n, const blasint* columns, const double* a,
             const blasint* stride, double* b, const blasint* b_stride, blasint* info);
}

namespace lrid::learn {

namespace {

/// OpenBLAS may be built with threads of its own, which would share sums out by their number.
[[maybe_unused]] const bool single_threaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

blasint as_blas(std::int64_t size) {
  return static_cast<blasint>(size);
}

CBLAS_TRANSPOSE order_of(bool transposed) {
  return transposed ? CblasTrans : CblasNoTrans;
}

}  // namespace

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<double> a, Factor<double> b,
              double keep, double* result, std::int64_t result_stride) {
  cblas_dgemm(CblasRowMajor, order_of(a.transposed), order_of(b.transposed), as_blas(n), as_blas(m),
              as_blas(inner), 1, a.data, as_blas(a.stride), b.data, as_blas(b.stride), keep, result,
              as_blas(result_stride));
}

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<float> a, Factor<float> b,
              float keep, float* result, std::int64_t result_stride) {
  cblas_sgemm(CblasRowMajor, order_of(a.transposed), order_of(b.transposed), as_blas(n), as_blas(m),
              as_blas(inner), 1, a.data, as_blas(a.stride), b.data, as_blas(b.stride), keep, result,
              as_blas(result_stride));
}

void add_gram(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign,
              double* gram) {
  // Row-major x is column-major xᵀ.
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, as_blas(d), as_blas(n), sign, x, as_blas(stride), 1,
              gram, as_blas(d));
}

void eigenvectors(std::int64_t d, const double* gram, double* vectors) {
  const blasint size = as_blas(d), work_size = 1 + 6 * size + 2 * size * size,
                integer_work_size = 3 + 5 * size;
  std::vector<double> columns(gram, gram + d * d), eigenvalues(to_size(d)), work(to_size(work_size));
  std::vector<blasint> integer_work(to_size(integer_work_size));
  blasint info = 0;
  dsyevd_("V", "L", &size, columns.data(), &size, eigenvalues.data(), work.data(), &work_size,
          integer_work.data(), &integer_work_size, &info);
  if (info != 0) work_failed("principal components: the eigenvalues of {} features did not converge", d);
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j) vectors[i * d + j] = columns[to_size((d - 1 - j) * d + i)];
}

void solve_ridge(std::int64_t d, const double* gram, std::int64_t stride, double scale, double* scratch,
                 double* b) {
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t i = j; i < d; ++i) scratch[j * d + i] = scale * gram[j * stride + i];
    scratch[j * d + j] += 1;
  }
  const blasint size = as_blas(d), one = 1;
  blasint info = 0;
  dpotrf_("L", &size, scratch, &size, &info);
  if (info == 0) dpotrs_("L", &size, &one, scratch, &size, b, &size, &info);
}

}  // namespace lrid::learn
