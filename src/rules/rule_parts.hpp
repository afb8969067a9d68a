#pragma once

// Building blocks of learning rules. Private to this library; each rule's own file combines them.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/nn/keyed_tensor.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "optimizer.hpp"

namespace lrid::rules {

using nn::Tensor;

/// The random numbers that a rule asks for in its steps, keyed by what they are for, by layer and by step, so
/// that a resumed run draws what an uninterrupted one draws. Virtual so that a test can replay recorded ones.
class StepDraws {
 public:
  explicit StepDraws(Key key) : key_(key) {}
  virtual ~StepDraws() = default;
  StepDraws(const StepDraws&) = delete;
  StepDraws& operator=(const StepDraws&) = delete;

  /// Uniform in [0, 1), and standard normal; type and device of `options`.
  [[nodiscard]] virtual Tensor uniform(std::string_view purpose, const std::string& layer,
                                       const nn::StepNumber& step, at::IntArrayRef shape,
                                       const torch::TensorOptions& options) const;
  [[nodiscard]] virtual Tensor normal(std::string_view purpose, const std::string& layer,
                                      const nn::StepNumber& step, at::IntArrayRef shape,
                                      const torch::TensorOptions& options) const;

 private:
  Key key_;
};

/// A rule whose W, b and batch norms descend the task loss by one optimiser. By itself: backpropagation.
class TaskDescent : public LearningRule {
 public:
  using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(std::vector<nn::Parameter>)>;
  TaskDescent(MakeOptimizer make_optimizer, double weight_decay)
      : make_optimizer_(std::move(make_optimizer)), weight_decay_(weight_decay) {}
  explicit TaskDescent(const SgdSettings& settings);

  void attach(nn::Network& network, Key key) override;
  void prepare(const StepInfo& info) override;
  void update() override;
  [[nodiscard]] std::uint64_t step_form() const override;
  [[nodiscard]] Tensor decay_loss() const override;
  [[nodiscard]] Tensor backward_kernel(std::size_t) const override { return {}; }
  [[nodiscard]] bool has_backward_kernels() const override { return false; }
  [[nodiscard]] std::vector<nn::NamedTensor> state() override { return optimizer_->state(""); }

  void set_draws(std::shared_ptr<const StepDraws> draws) { draws_ = std::move(draws); }

 protected:
  [[nodiscard]] bool attached() const { return network_ != nullptr; }
  [[nodiscard]] nn::Network& network() const { return *network_; }
  [[nodiscard]] const std::string& layer_name(std::size_t layer) const {
    return network_->layers()[layer]->spec().name;
  }
  [[nodiscard]] const StepInfo& info() const { return info_; }
  [[nodiscard]] const StepDraws& draws() const { return *draws_; }
  /// Hook for rules that use the task's gradients (in the order of network().parameters()) before W moves.
  virtual void use_gradients(const std::vector<Tensor>& /*gradients*/) {}

 private:
  MakeOptimizer make_optimizer_;
  double weight_decay_;
  nn::Network* network_ = nullptr;
  std::unique_ptr<Optimizer> optimizer_;
  StepInfo info_;
  std::shared_ptr<const StepDraws> draws_;
};

/// Noise added to B with each of its updates: learning rate × a draw of this variance (tasks.md, "Noisy
/// option").
class KernelNoise {
 public:
  /// Declares [rule] noise, noise_variance.
  static KernelNoise declare(Options& options);
  [[nodiscard]] bool active() const { return kind_ != Kind::none; }
  /// A draw of B's shape.
  [[nodiscard]] Tensor draw(const StepDraws& draws, const std::string& layer, const nn::StepNumber& step,
                            const Tensor& kernel) const;

 private:
  enum class Kind { none, normal, uniform } kind_ = Kind::none;
  double variance_ = 1;
};

/// How B starts: an independent draw from W's initial distribution, or equal to W (as the original's
/// convolutions did with a model seed, since one seed served both).
enum class BackwardInitial { independent, as_forward };
/// Declares [rule] backward_initial.
BackwardInitial declare_backward_initial(Options& options);
/// The B that each layer starts with.
std::vector<Tensor> draw_backward_kernels(const nn::Network& network, BackwardInitial initial, Key key);

/// SGDM, with the error carried down through separate kernels B. By itself: B never changes.
class SeparateFeedback : public TaskDescent {
 public:
  SeparateFeedback(const SgdSettings& settings, BackwardInitial initial);

  void attach(nn::Network& network, Key key) override;
  [[nodiscard]] Tensor backward_kernel(std::size_t layer) const override { return kernels_.at(layer); }
  [[nodiscard]] bool has_backward_kernels() const override { return true; }
  [[nodiscard]] std::vector<nn::NamedTensor> state() override;

 protected:
  /// B of each observed layer. The first layer's carries nothing down; it is there for layer-wise losses.
  [[nodiscard]] const std::vector<Tensor>& kernels() const { return kernels_; }
  /// The same as a list that an optimiser takes; nothing decays.
  [[nodiscard]] std::vector<nn::Parameter> kernel_parameters() const;
  /// B ← B + rate·noise, if there is any.
  void add_noise(const KernelNoise& noise, const Tensor& rate) const;

 private:
  BackwardInitial initial_;
  std::vector<Tensor> kernels_;
};

/// SGDM, with the error carried down through sign(W)∘m (sign symmetry; Moskovitz et al. 2018, names as in
/// BioTorch). The magnitudes m are what the rules differ in.
class SignSymmetry : public TaskDescent {
 public:
  using TaskDescent::TaskDescent;
  ~SignSymmetry() override;
  SignSymmetry(const SignSymmetry&) = delete;
  SignSymmetry& operator=(const SignSymmetry&) = delete;

  void attach(nn::Network& network, Key key) override;
  [[nodiscard]] Tensor backward_kernel(std::size_t layer) const override;
  [[nodiscard]] bool has_backward_kernels() const override { return true; }

 protected:
  /// m of a layer in the prepared step: W's shape, or a scalar.
  [[nodiscard]] virtual Tensor magnitude(std::size_t layer) const = 0;

 private:
  class Path;
};

}  // namespace lrid::rules
