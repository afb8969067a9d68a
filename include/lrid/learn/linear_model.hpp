#pragma once

#include <memory>
#include <utility>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// A fitted linear classifier: one weight vector per class; scores are the decision values.
class LinearModel : public Model {
 public:
  /// `weights`: [1 + columns of the layout, classes], the bias first. A principal component analysis, if
  /// there was one, has been multiplied out.
  explicit LinearModel(Matrix weights) : weights_(std::move(weights)) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override;
  void save(io::hdf5::Group& group) const override;
  /// InputError naming what is missing, or does not fit the layout or the number of classes.
  static std::unique_ptr<LinearModel> load(const io::hdf5::Group& group, const Layout& layout, int classes);
  [[nodiscard]] const Matrix& weights() const { return weights_; }

 private:
  Matrix weights_;
};

/// [n, columns of weights] decision values; `weights`: [1 + columns of the samples, any number].
Matrix decision_values(const Samples& samples, const Matrix& weights);

}  // namespace lrid::learn
