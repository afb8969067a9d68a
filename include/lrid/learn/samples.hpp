#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

namespace lrid::learn {

/// Samples as rows, features as columns.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Row numbers of a matrix, ascending unless stated otherwise.
using Rows = std::vector<std::int64_t>;

/// The columns of a sample: `constants` without a time axis, which are never scaled (such as a one-hot code),
/// then for each channel a series of `points` values.
struct Layout {
  std::int64_t constants = 0, channels = 0, points = 0;

  [[nodiscard]] std::int64_t series_columns() const { return channels * points; }
  [[nodiscard]] std::int64_t columns() const { return constants + series_columns(); }
};

/// Standardised features with their labels: one side of a fold.
struct Samples {
  Layout layout;
  Matrix x;                 ///< [n, layout.columns()]
  std::vector<int> labels;  ///< [n] class indices in [0, classes); empty if unknown
  int classes = 0;

  [[nodiscard]] std::int64_t size() const { return x.rows(); }
  [[nodiscard]] auto constants() const { return x.leftCols(layout.constants); }
  [[nodiscard]] auto series() const { return x.rightCols(layout.series_columns()); }
};

}  // namespace lrid::learn
