#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>
#include <lrid/learn/conv_stack.hpp>

namespace lrid::learn {

/// The classifier "mlp": a convolution over time with the observables (and the layer position, constant over
/// time) as channels, ReLU, optional pooling over all of the time that is left, a fully connected layer,
/// softmax; trained by Adam. Grid: kernel × filters × stride × pool × learning rate × batch × L2. Points that
/// share kernel, stride and batch are trained as one stack; points that coincide are computed once.
///
/// Optionally by successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and
/// hyperparameter optimization"): after each round of training only the points that did best on the fold's
/// validation samples go on, the others keep the scores that they have by then.
class ConvMlp : public Classifier {
 public:
  void declare(Options& options) override;
  [[nodiscard]] std::vector<Setting> settings() const override;
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] std::int64_t least_points() const override { return std::ranges::min(kernel_); }
  [[nodiscard]] GridOutcome fit_grid(const Samples& train_samples, const Samples& validation,
                                     Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train_samples, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return true; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;

 private:
  /// Epochs after which each round of training ends.
  [[nodiscard]] std::vector<std::int64_t> rounds() const;

  std::vector<std::int64_t> kernel_ = {1, 2, 6, 11, 21}, filters_ = {20, 40}, stride_ = {1, 2, 4};
  std::vector<std::string> pool_ = {"none", "max", "mean"};
  std::vector<double> learning_rate_ = {1e-3, 1e-4};
  std::vector<std::int64_t> batch_ = {512, 1024};
  std::vector<double> l2_ = {1e-4, 0};
  std::int64_t epochs_ = 400, halving_ = 0, first_round_ = 50;
};

}  // namespace lrid::learn
