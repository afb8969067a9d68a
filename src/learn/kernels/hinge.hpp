#pragma once

#include <cstdint>

namespace lrid::learn {

/// One-vs-rest problems on the same rows: y_i = 1 where the label is the problem's positive class, else −1.
struct HingeBatch {
  const double* x;               ///< [n, stride]
  std::int64_t stride, width;    ///< width: number of leading columns in use, a multiple of 4
  const int* labels;             ///< [n]
  std::int64_t count;            ///< of problems
  const int* positive;           ///< [count]
  const double* const* weights;  ///< [count] of [width]
  double* const* outputs;        ///< [count] of [n]
};

/// For rows begin … end: outputs = x·w, loss [count] = Σ_i l_i² and sums [count, width] = Σ_i y_i l_i x_i
/// with l_i = max(0, 1 − y_i o_i), in a single pass over x.
void hinge_pass(const HingeBatch& batch, std::int64_t begin, std::int64_t end, double* loss, double* sums);

/// Σ_i max(0, 1 − y_i o_i)² at outputs o = from + t·(to − from), and its first two derivatives by t.
struct HingeLine {
  double loss, slope, curvature;
};
/// `y`, `from` and `to`: [n].
HingeLine hinge_line(std::int64_t n, const double* y, const double* from, const double* to, double t);

}  // namespace lrid::learn
