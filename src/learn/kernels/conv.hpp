#pragma once

#include <cstdint>

namespace lrid::learn {

/// How a network reduces its filters' outputs over time: not at all, or to one value per filter.
enum class Pool { none, max, mean };

/// One network of a stack: its filters among all, its fully connected layer among the parameters.
struct ConvPart {
  std::int64_t filters;
  Pool pool;
  std::int64_t filter, weights, bias;
};

/// Networks of one shape on a mini-batch; ConvStack defines the layout of parameters and samples.
template <class Scalar>
struct ConvBatch {
  std::int64_t positions, patch;  ///< of the convolution; values of a patch that differ between positions
  std::int64_t constants;         ///< values at the end of a row, part of every patch
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

/// The inner loops of ConvStack for float or double.
template <class Scalar>
struct ConvKernels {
  /// Number of values of scratch space the others need.
  std::int64_t (*scratch_size)(const ConvBatch<Scalar>& batch);
  /// Adds the derivatives of share·Σ cross entropy to `gradient`; returns that loss. `labels`: by row of x.
  double (*add_gradient)(const ConvBatch<Scalar>& batch, const int* labels, Scalar share, Scalar* gradient,
                         Scalar* scratch);
  /// Writes class probabilities: [part] of [count, classes].
  void (*probabilities)(const ConvBatch<Scalar>& batch, Scalar* const* result, Scalar* scratch);
  /// A step of Adam (Kingma & Ba 2015) with β 0.9 and 0.999, ε 1e-8; `step` counts from 1. All arrays: [n].
  void (*adam)(std::int64_t n, std::int64_t step, const Scalar* learning_rate, const Scalar* gradient,
               Scalar* first_moment, Scalar* second_moment, Scalar* parameters);
};

/// Those for this machine's vector unit.
template <class Scalar>
const ConvKernels<Scalar>& conv_kernels();
template <>
const ConvKernels<float>& conv_kernels();
template <>
const ConvKernels<double>& conv_kernels();

}  // namespace lrid::learn
