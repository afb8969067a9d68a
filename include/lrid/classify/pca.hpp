#pragma once

#include <Eigen/Core>

#include <lrid/classify/feature_table.hpp>

namespace lrid::classify {

/// Principal components of standardised samples. The components are ordered, so the analysis to any smaller
/// width is its leading columns.
class Pca {
 public:
  /// Singular values below this share of the largest count as zero.
  static constexpr double tolerance = 1e-7;

  /// `x`: [n, d], columns of mean zero. By singular value decomposition of x itself: its Gram matrix would
  /// square the condition number, and 1e-7 would drown in rounding.
  explicit Pca(const Eigen::Ref<const Matrix>& x);

  /// [n, min(n_fit, d)]: scores on all components, those beyond the rank included. The rotation loses nothing
  /// of the samples it was fitted to.
  [[nodiscard]] Matrix apply(const Eigen::Ref<const Matrix>& x) const;
  /// How many singular values exceed `tolerance` times the largest.
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] const Eigen::VectorXd& singular_values() const { return singular_values_; }
  [[nodiscard]] const Eigen::MatrixXd& components() const { return components_; }  ///< [d, min(n_fit, d)]

 private:
  Eigen::VectorXd singular_values_;
  Eigen::MatrixXd components_;
  std::int64_t rank_ = 0;
};

}  // namespace lrid::classify
