#pragma once

#include <vector>

#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Entropy of every row of probabilities, in nats: how undecided a classifier is.
std::vector<double> entropies(const Matrix& probabilities);

/// Euclidean distance of every sample to the nearest of `known`, in inverse hyperbolic sines of the
/// standardised features (observables are heavy-tailed). `known` and `samples`: [n, columns], [m, columns].
std::vector<double> nearest_distances(const FloatMatrix& known, const FloatMatrix& samples);
/// The features for it.
FloatMatrix compressed(const Matrix& standardised);

/// How unlike everything known a sample is. Two things may be odd about it: that it lies far from all known
/// samples, or between the classes. Both are ranked among known samples that were held out from training, and
/// the higher rank counts.
class NoveltyReference {
 public:
  NoveltyReference() = default;
  /// Of known samples held out from training, same order.
  NoveltyReference(std::vector<double> uncertainty, std::vector<double> distance);

  /// Share of known held-out samples at least as odd as each sample, itself included: a p-value of "this is
  /// one of the known classes" (conformal anomaly detection, Laxhammar & Falkman 2010). Never 0.
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
