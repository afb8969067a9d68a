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

/// Tells how unlike all known samples a sample is: ranks its distance to the training samples among those of
/// known samples held out from training.
class NoveltyReference {
 public:
  NoveltyReference() = default;
  /// Distances of known samples held out from training.
  explicit NoveltyReference(std::vector<double> distance);

  /// Fraction of known held-out samples at least as far as each sample, itself included: a p-value of the
  /// hypothesis that it is like them (conformal anomaly detection, Laxhammar & Falkman 2010). Never 0.
  [[nodiscard]] std::vector<double> typicality(const std::vector<double>& distance) const;
  [[nodiscard]] const std::vector<double>& distance() const { return distance_; }

 private:
  std::vector<double> distance_, ascending_;
};

}  // namespace lrid::learn
