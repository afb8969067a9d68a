#pragma once

#include <Eigen/Core>

#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Principal components of standardised samples, by descending variance: an analysis to fewer components is
/// its leading columns.
class Pca {
 public:
  /// Singular values below this fraction of the largest count as zero.
  static constexpr double tolerance = 1e-7;

  /// `x`: [n, d], columns of mean zero.
  explicit Pca(const Eigen::Ref<const Matrix>& x);

  /// [n, min(n, d)] scores of the samples it was fitted to on all components, including those beyond the
  /// rank, so that the rotation loses nothing.
  [[nodiscard]] const Matrix& scores() const { return scores_; }
  /// Number of singular values that exceed `tolerance` times the largest.
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] const Eigen::VectorXd& singular_values() const { return singular_values_; }
  /// [d, min(n, d)] orthonormal columns, including those beyond the rank: scores = x · components.
  [[nodiscard]] const Matrix& components() const { return components_; }

 private:
  Matrix scores_, components_;
  Eigen::VectorXd singular_values_;
  std::int64_t rank_ = 0;
};

}  // namespace lrid::learn
