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

}  // namespace lrid::learn
