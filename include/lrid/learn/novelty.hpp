#pragma once

#include <map>
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
/// To 8 significant bits (0.2 %), far less than samples differ: files keep all training samples.
FloatMatrix rounded(const FloatMatrix& features);

/// Tells how unlike all known samples a sample is: ranks its distance to the training samples among those of
/// known samples held out from training. Where classes are given, it must be unlike those of its own class,
/// too, if at least 19 of it are known (enough for a p-value of 0.05): some classes vary more than others,
/// and would bear all false alarms (cf. Mondrian conformal prediction, Vovk, Gammerman & Shafer 2005, §4.5).
class NoveltyReference {
 public:
  NoveltyReference() = default;
  /// Distances of known samples held out from training, and their classes (or none).
  explicit NoveltyReference(std::vector<double> distance, std::vector<int> classes = {});

  /// Fraction of known held-out samples at least as far as each sample, itself included: a p-value of the
  /// hypothesis that it is like them (conformal anomaly detection, Laxhammar & Falkman 2010). Never 0.
  /// `classes`: the class that each sample seems to be of, or none. With them, the larger of two p-values.
  [[nodiscard]] std::vector<double> typicality(const std::vector<double>& distance,
                                               const std::vector<int>& classes = {}) const;
  [[nodiscard]] const std::vector<double>& distance() const { return distance_; }
  [[nodiscard]] const std::vector<int>& classes() const { return classes_; }

 private:
  std::vector<double> distance_, ascending_;
  std::vector<int> classes_;
  std::map<int, std::vector<double>> ascending_of_class_;  // those with enough samples
};

}  // namespace lrid::learn
