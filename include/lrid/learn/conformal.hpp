#pragma once

#include <cstddef>
#include <vector>

#include <lrid/io/hdf5.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Conformal prediction (Vovk, Gammerman & Shafer 2005; Angelopoulos & Bates 2023, "Conformal prediction: a
/// gentle introduction"): p-values of the hypotheses that a sample is of each class, from how improbable the
/// true classes of held-out samples were. Held-out samples may be near the training samples or far from them;
/// a sample is compared with all of them and with those about as far as itself (localised conformal
/// prediction, Guan 2023, Biometrika 110, 33), and the larger p-value counts.
class Conformal {
 public:
  Conformal() = default;
  /// [n] each: 1 − the probability of the true class, the logarithm of the distance (0 where it plays no
  /// part) and a weight, 1 for an independent sample.
  Conformal(std::vector<double> scores, std::vector<double> log_distances, std::vector<double> weights);

  /// [m, classes] p-values; `probabilities`: [m, classes], `log_distances`: [m].
  [[nodiscard]] Matrix p_values(const Matrix& probabilities, const std::vector<double>& log_distances) const;
  /// The distance beyond which no held-out sample was.
  [[nodiscard]] double farthest() const;

  void save(io::hdf5::Group& group) const;
  /// Throws InputError naming what is missing.
  static Conformal load(const io::hdf5::Group& group);

 private:
  std::vector<double> scores_, log_distances_, weights_;
  double low_ = 0, high_ = 0;  // range of distances that have enough held-out samples
};

/// Classes whose p-value exceeds 1 − confidence, ascending; the one of the largest if there is none.
/// `p_values`: [classes].
std::vector<std::size_t> conformal_set(const Eigen::Ref<const Eigen::RowVectorXd>& p_values,
                                       double confidence);

}  // namespace lrid::learn
