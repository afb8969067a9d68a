#pragma once

#include <vector>

#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// [rows] entropies of class probabilities, in nats.
std::vector<double> entropies(const Matrix& probabilities);

/// [m] Euclidean distances to the nearest of `known`, [n, columns], for `samples`, [m, columns]. Both are to
/// be compressed(), as observables are heavy-tailed.
std::vector<double> nearest_distances(const FloatMatrix& known, const FloatMatrix& samples);
/// The inverse hyperbolic sine of standardised features.
FloatMatrix compressed(const Matrix& standardised);

/// Tells how unlike all known samples a sample is: it may lie far from them, or between the classes. Distance
/// and uncertainty are ranked among known samples held out from training, and the higher rank counts.
class NoveltyReference {
 public:
  NoveltyReference() = default;
  /// Uncertainties and distances of known samples held out from training, in the same order.
  NoveltyReference(std::vector<double> uncertainty, std::vector<double> distance);

  /// Fraction of known held-out samples at least as unusual as each sample, itself included: a p-value of the
  /// hypothesis that it is of a known class (conformal anomaly detection, Laxhammar & Falkman 2010). Never 0.
  [[nodiscard]] std::vector<double> typicality(const std::vector<double>& uncertainty,
                                               const std::vector<double>& distance) const;
  [[nodiscard]] const std::vector<double>& uncertainty() const { return uncertainty_; }
  [[nodiscard]] const std::vector<double>& distance() const { return distance_; }

 private:
  [[nodiscard]] double oddity(double uncertainty, double distance) const;
  std::vector<double> uncertainty_, distance_;                           // as given
  std::vector<double> sorted_uncertainty_, sorted_distance_, oddities_;  // ascending
};

}  // namespace lrid::learn
