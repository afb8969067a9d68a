#pragma once

#include <Eigen/Core>

#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Principal components of standardised samples. The components are ordered, so the analysis to any smaller
/// width is its leading columns.
class Pca {
 public:
  /// Singular values below this share of the largest count as zero.
  static constexpr double tolerance = 1e-7;

  /// `x`: [n, d], columns of mean zero.
  explicit Pca(const Eigen::Ref<const Matrix>& x);

  /// [n, min(n, d)]: what it was fitted to, on all components, those beyond the rank included: the rotation
  /// loses nothing of it.
  [[nodiscard]] const Matrix& scores() const { return scores_; }
  /// How many singular values exceed `tolerance` times the largest.
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] const Eigen::VectorXd& singular_values() const { return singular_values_; }
  /// [d, min(n_fit, d)], orthonormal, those beyond the rank included: x · components loses nothing of the
  /// samples it was fitted to.
  [[nodiscard]] const Matrix& components() const { return components_; }

 private:
  Matrix scores_, components_;
  Eigen::VectorXd singular_values_;
  std::int64_t rank_ = 0;
};

}  // namespace lrid::learn
