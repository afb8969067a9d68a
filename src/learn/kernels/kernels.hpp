#pragma once

#include <cstdint>

#include <lrid/learn/pool.hpp>

namespace lrid::learn {

// Inner loops, compiled for every processor and once more for those with AVX2 and FMA; which are used is
// decided at run time. Only plain pointers and numbers pass through here: see kernels.cpp.
//
// Sums are rounded differently in the two, so the last bits of a result depend on the kind of processor (and
// on its cache sizes, by which Eigen blocks its products), but never on the number of threads.

/// One network of a stack: its filters among all, its fully connected layer among the parameters.
struct ConvPart {
  std::int64_t filters;
  Pool pool;
  std::int64_t filter, weights, bias;
};

/// Networks of one shape on a mini-batch. ConvStack says what lies where.
template <class Scalar>
struct ConvBatch {
  std::int64_t positions, patch;  ///< of the convolution; values of a patch that go along with it
  std::int64_t constants;         ///< values at the end of a row that every patch has
  std::int64_t step;              ///< from patch to patch
  std::int64_t classes, filters;  ///< filters of all parts
  const ConvPart* parts;
  std::int64_t part_count;
  const Scalar* parameters;
  const Scalar* x;  ///< [samples, row_size]
  std::int64_t row_size;
  const std::int64_t* rows;  ///< [count] of x
  std::int64_t count;
};

template <class Scalar>
struct ConvKernels {
  /// Values that the others need as scratch space.
  std::int64_t (*scratch_size)(const ConvBatch<Scalar>&);
  /// Adds the derivatives of share·Σ cross entropy to `gradient`; returns that loss. `labels`: by row of x.
  double (*add_gradient)(const ConvBatch<Scalar>&, const int* labels, Scalar share, Scalar* gradient,
                         Scalar* scratch);
  /// Class probabilities: [part] of [count, classes].
  void (*probabilities)(const ConvBatch<Scalar>&, Scalar* const* result, Scalar* scratch);
  /// Kingma & Ba 2015 with β 0.9 and 0.999, ε 1e-8; `step` counts from 1. All arrays: [n].
  void (*adam)(std::int64_t n, std::int64_t step, const Scalar* learning_rate, const Scalar* gradient,
               Scalar* first_moment, Scalar* second_moment, Scalar* parameters);
};

/// Dense linear algebra in double precision. Matrices are row-major with a stride from row to row, but for
/// Gram matrices: d × d, column-major, lower triangle.
struct DenseKernels {
  /// result [n, m] = a [n, inner] · b [inner, m].
  void (*multiply)(std::int64_t n, std::int64_t inner, std::int64_t m, const double* a, std::int64_t a_stride,
                   const double* b, std::int64_t b_stride, double* result, std::int64_t result_stride);
  /// gram += sign · xᵀx of x [n, d].
  void (*add_gram)(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign,
                   double* gram);
  /// [d, d], a column each, by descending eigenvalue.
  void (*eigenvectors)(std::int64_t d, const double* gram, double* vectors);
  /// b = (1 + scale·gram)⁻¹ b; the Gram matrix may be the leading block of a larger one. scratch: [d, d].
  void (*solve_ridge)(std::int64_t d, const double* gram, std::int64_t stride, double scale, double* scratch,
                      double* b);
};

/// Problems "one class against the rest" on the same rows: y_i = 1 where the label is the positive class,
/// else −1.
struct HingeBatch {
  const double* x;               ///< [n, stride]
  std::int64_t stride, width;    ///< width: columns that count, a multiple of 4
  const int* labels;             ///< [n]
  std::int64_t count;            ///< of problems
  const int* positive;           ///< [count]
  const double* const* weights;  ///< [count] of [width]
  double* const* outputs;        ///< [count] of [n]
};

/// Σ_i max(0, 1 − y_i o_i)² at outputs o = from + t·(to − from), with its derivatives by t.
struct HingeLine {
  double loss, slope, curvature;
};

struct HingeKernels {
  /// For rows begin … end: outputs = x·w; loss [count] = Σ_i l_i² and sums [count, width] = Σ_i y_i l_i x_i,
  /// with l_i = max(0, 1 − y_i o_i). One pass over x does it all.
  void (*pass)(const HingeBatch&, std::int64_t begin, std::int64_t end, double* loss, double* sums);
  HingeLine (*line)(std::int64_t n, const double* y, const double* from, const double* to, double t);
};

/// The best split of each of some features: Σ_c L_c²/L + Σ_c R_c²/R, which Gini impurity leaves to maximise
/// (L_c and R_c: weight of class c on the left and on the right), and the last key on the left; −1: the
/// feature is constant.
struct LaneSplits {
  float score[8];
  std::int32_t position[8];
};

/// The same for a histogram's boundaries, and what no split inside a bin can exceed.
struct BinScores {
  float top, potential;
};

struct SplitKernels {
  static constexpr int lanes = 8, bins = 256;
  static constexpr int classes = 4;  ///< at most
  /// keys: [count, lanes], each rank (16 bits), weight (12), class (4); aligned to 32 bytes; sorted on
  /// return. totals: [classes] weight of each class.
  void (*lane_splits)(std::uint32_t* keys, int count, const std::uint32_t* totals, LaneSplits* result);
  /// histogram: [bins] weight of each class, 16 bits each, class 0 lowest.
  BinScores (*scan_bins)(const std::uint64_t* histogram, const std::uint32_t* totals);
  /// Whether the boundary behind a bin scores at least `least`, and whether a split inside it may: [bins]
  /// each. Bit 0 and 1 of the result: whether there is any.
  int (*find_bins)(const std::uint64_t* histogram, const std::uint32_t* totals, float least, bool* boundary,
                   bool* inside);
};

struct Kernels {
  const char* target;
  SplitKernels split;
  DenseKernels dense;
  HingeKernels hinge;
  ConvKernels<float> conv_float;
  ConvKernels<double> conv_double;

  template <class Scalar>
  [[nodiscard]] const ConvKernels<Scalar>& conv() const {
    if constexpr (sizeof(Scalar) == sizeof(float))
      return conv_float;
    else
      return conv_double;
  }
};

/// The best ones that this processor can run.
const Kernels& kernels();
/// Those for every processor.
const Kernels& portable_kernels();

}  // namespace lrid::learn
