#pragma once

#include <memory>
#include <utility>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// A fitted linear classifier with a weight vector per class; scores are the decision values.
class LinearModel : public Model {
 public:
  /// `weights`: [1 + columns of the layout, classes], the bias first, in terms of the original features even
  /// if it was fitted to principal components.
  explicit LinearModel(Matrix weights) : weights_(std::move(weights)) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override;
  void save(io::hdf5::Group& group) const override;
  /// Throws InputError naming what is missing, or does not fit the layout or number of classes.
  static std::unique_ptr<LinearModel> load(const io::hdf5::Group& group, const Layout& layout, int classes);
  [[nodiscard]] const Matrix& weights() const { return weights_; }

 private:
  Matrix weights_;
};

/// [n, columns of weights] decision values; `weights`: [1 + columns of the samples, any number], the bias
/// first.
Matrix decision_values(const Samples& samples, const Matrix& weights);

}  // namespace lrid::learn
