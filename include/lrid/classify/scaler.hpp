#pragma once

#include <Eigen/Core>

#include <lrid/classify/feature_table.hpp>

namespace lrid::classify {

/// z-scores the continuous features with the mean and the (population) sd of the rows it was fitted on; the
/// position one-hot is left as it is. A new one is fitted inside every fold: statistics of validation or
/// test samples must not leak into training.
class Scaler {
 public:
  /// sd below this count as this, so constant features become 0 rather than NaN.
  static constexpr double min_sd = 1e-5;

  Scaler() = default;
  Scaler(const FeatureTable& table, const Rows& rows);
  /// One that was saved; [columns] each.
  Scaler(Eigen::RowVectorXd mean, Eigen::RowVectorXd sd) : mean_(std::move(mean)), sd_(std::move(sd)) {}

  /// Standardised features of `rows`, without labels.
  [[nodiscard]] Samples apply(const FeatureTable& table, const Rows& rows) const;
  /// With their labels from `target`.
  [[nodiscard]] Samples apply(const FeatureTable& table, const Rows& rows, const Target& target) const;

  [[nodiscard]] const Eigen::RowVectorXd& mean() const { return mean_; }  ///< [columns]; 0 for the one-hot
  [[nodiscard]] const Eigen::RowVectorXd& sd() const { return sd_; }      ///< [columns]; 1 for the one-hot

 private:
  Eigen::RowVectorXd mean_, sd_;
};

}  // namespace lrid::classify
