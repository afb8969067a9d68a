#pragma once

#include <string>
#include <vector>

#include <lrid/io/hdf5.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Scores as the input of a softmax: decision values unchanged, probabilities as logarithms (bounded below,
/// so that a vote of zero makes a class unlikely rather than impossible).
Matrix logits_of(const Matrix& scores, bool are_probabilities);

/// A non-decreasing step function fitted by least squares, with linear transitions between steps.
class IsotonicCurve {
 public:
  /// Fits by pooling adjacent violators (Ayer et al. 1955, Ann. Math. Statist. 26, 641); needs at least one
  /// point.
  static IsotonicCurve fit(const std::vector<double>& x, const std::vector<double>& y);
  /// From its corners, by ascending x.
  IsotonicCurve(std::vector<double> x, std::vector<double> y) : x_(std::move(x)), y_(std::move(y)) {}
  /// The value at x; constant beyond the ends.
  [[nodiscard]] double operator()(double x) const;
  [[nodiscard]] const std::vector<double>& x() const { return x_; }
  [[nodiscard]] const std::vector<double>& y() const { return y_; }

 private:
  std::vector<double> x_, y_;
};

/// Calibrates scores into probabilities, fitted to samples held out from the classifier (by the inner folds):
///
/// - "temperature": softmax(β z) with the β of least cross entropy (Guo et al. 2017, "On Calibration of
///   Modern Neural Networks", §4.2);
/// - "isotonic": additionally a monotone curve per class, normalised (Zadrozny & Elkan 2002, "Transforming
///   classifier scores into accurate multiclass probability estimates");
/// - "none": softmax(z).
class Calibration {
 public:
  /// The method "none".
  Calibration() = default;
  /// `logits`: [n, classes]; `labels`: [n].
  Calibration(const std::string& method, const Matrix& logits, const std::vector<int>& labels);
  static const std::vector<std::string>& methods();

  /// [n, classes] probabilities, rows summing to 1.
  [[nodiscard]] Matrix probabilities(const Matrix& logits) const;
  [[nodiscard]] double inverse_temperature() const { return inverse_temperature_; }

  void save(io::hdf5::Group& group) const;
  /// Throws InputError naming what is missing.
  static Calibration load(const io::hdf5::Group& group, int classes);

 private:
  double inverse_temperature_ = 1;
  std::vector<IsotonicCurve> curves_;  ///< [classes], or empty
};

/// Turns decision values (margins) into probabilities: asinh(m / median|m|), since margins are heavy-tailed,
/// then multinomial logistic regression ("matrix scaling", Guo et al. 2017, §4.2).
class MarginScaling {
 public:
  MarginScaling() = default;
  /// `margins`: [n, classes] of held-out samples; `labels`: [n].
  MarginScaling(const Matrix& margins, const std::vector<int>& labels);
  /// [n, classes] probabilities.
  [[nodiscard]] Matrix probabilities(const Matrix& margins) const;

  void save(io::hdf5::Group& group) const;
  /// Throws InputError naming what is missing.
  static MarginScaling load(const io::hdf5::Group& group, int classes);

 private:
  double scale_ = 1;
  Matrix weights_;  // [1 + classes, classes], the bias first
};

/// Calibrates probabilities of samples unlike the training samples: softmax(β z), where β falls with the
/// distance from these, log β = level − slope · u, u being the logarithm of a distance. Level and slope have
/// the least cross entropy on held-out samples near and far, with a weak penalty (10⁻³ of their squares).
class DistanceCalibration {
 public:
  DistanceCalibration() = default;
  /// `logits`: [n, classes]; the others: [n]. Needs at least one sample.
  DistanceCalibration(const Matrix& logits, const std::vector<int>& labels,
                      const std::vector<double>& log_distance, const std::vector<double>& weights);
  /// [n, classes] probabilities.
  [[nodiscard]] Matrix probabilities(const Matrix& logits, const std::vector<double>& log_distance) const;
  [[nodiscard]] double level() const { return level_; }
  [[nodiscard]] double slope() const { return slope_; }

  void save(io::hdf5::Group& group) const;
  static DistanceCalibration load(const io::hdf5::Group& group);

 private:
  double level_ = 0, slope_ = 0;
};

}  // namespace lrid::learn
