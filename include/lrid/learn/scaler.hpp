#pragma once

#include <Eigen/Core>

#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// z-scores series columns with the mean and population standard deviation of the rows it was fitted to;
/// constants are left unchanged. Fit one in every fold, so that statistics of validation or test samples do
/// not leak into training.
class Scaler {
 public:
  /// Lower bound of standard deviations, so that constant features become 0 rather than NaN.
  static constexpr double min_sd = 1e-5;

  Scaler() = default;
  /// Fits to `rows` of `x`, [n, layout.columns()].
  Scaler(const FloatMatrix& x, const Layout& layout, const Rows& rows);
  /// From a saved mean and standard deviation, [columns] each.
  Scaler(Eigen::RowVectorXd mean, Eigen::RowVectorXd sd) : mean_(std::move(mean)), sd_(std::move(sd)) {}

  /// Returns `rows` of `x` standardised, without labels.
  [[nodiscard]] Samples apply(const FloatMatrix& x, const Layout& layout, const Rows& rows) const;

  [[nodiscard]] const Eigen::RowVectorXd& mean() const { return mean_; }  ///< [columns]; 0 for constants
  [[nodiscard]] const Eigen::RowVectorXd& sd() const { return sd_; }      ///< [columns]; 1 for constants

 private:
  Eigen::RowVectorXd mean_, sd_;
};

}  // namespace lrid::learn
