#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/nn/network.hpp>

namespace lrid::rules {

using nn::Tensor;

/// Moves a set of tensors against their gradients, all of them at once. Rates live in device tensors that
/// set_rate() fills before the step, so that a step can be recorded and replayed; update() waits for nothing.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Host side, before the step. `step` counts steps already made.
  virtual void set_rate(double learning_rate, std::int64_t step) = 0;
  /// The learning rate that was set, a scalar in device memory (TensorFlow's Adam: with its correction).
  [[nodiscard]] virtual const Tensor& rate() const = 0;
  /// One step. `gradients` stand in the order of the tensors the optimiser was made for and have their
  /// shapes; they may be overwritten.
  virtual void update(std::vector<Tensor>& gradients) = 0;
  /// Moments, named `<prefix><moment>/<tensor>`, live.
  [[nodiscard]] virtual std::vector<nn::NamedTensor> state(const std::string& prefix) const = 0;
};

/// Stochastic gradient descent with momentum. With g the gradient + weight_decay·p where p decays:
///
///     m ← momentum·m + g;   p ← p − lr·(g + momentum·m)  (Nesterov)   or   p ← p − lr·m
///
/// as torch.optim.SGD.
struct SgdSettings {
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 0;

  /// Declares [optimizer] momentum, nesterov, weight_decay.
  static SgdSettings declare(Options& options, double default_weight_decay);
};
std::unique_ptr<Optimizer> make_sgd(std::vector<nn::Parameter> parameters, const SgdSettings& settings);

/// Adam (Kingma & Ba 2015), with g as above (coupled weight decay):
///
///     m ← β₁m + (1−β₁)g;   v ← β₂v + (1−β₂)g²;   a = √(1−β₂ᵗ),   lrₜ = lr/(1−β₁ᵗ)
///     torch        p ← p − lrₜ·m/(√v/a + ε)        (torch.optim.Adam)
///     tensorflow   p ← p − lrₜ·m·a/(√v + ε)        (ε outside the bias correction)
struct AdamSettings {
  enum class EpsilonForm { torch, tensorflow };
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  EpsilonForm epsilon_form = EpsilonForm::torch;
  double weight_decay = 0;

  /// Declares [optimizer] beta1, beta2, epsilon, epsilon_form, weight_decay.
  static AdamSettings declare(Options& options, double default_weight_decay);
};
std::unique_ptr<Optimizer> make_adam(std::vector<nn::Parameter> parameters, const AdamSettings& settings);

}  // namespace lrid::rules
