#pragma once

// What learning rules are made of. Private to this library: a rule's own file says what it does with them.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lrid/rules/learning_rule.hpp>
#include <lrid/rules/optimizer.hpp>

namespace lrid::rules {

/// A rule whose W, b and batch norms descend the task loss by one optimiser. By itself: backpropagation.
class TaskDescent : public LearningRule {
 public:
  using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(std::vector<nn::Parameter>)>;
  TaskDescent(MakeOptimizer make_optimizer, double weight_decay)
      : make_optimizer_(std::move(make_optimizer)), weight_decay_(weight_decay) {}

  void attach(nn::Network& network, Key key) override;
  void prepare(const StepInfo& info) override { optimizer_->set_rate(info.learning_rate, info.step); }
  void update() override;
  [[nodiscard]] Tensor decay_loss() const override;
  [[nodiscard]] Tensor backward_kernel(std::size_t) const override { return {}; }
  [[nodiscard]] bool has_backward_kernels() const override { return false; }
  [[nodiscard]] std::vector<nn::NamedTensor> state() override { return optimizer_->state(""); }

 protected:
  [[nodiscard]] nn::Network& network() const { return *network_; }

 private:
  MakeOptimizer make_optimizer_;
  double weight_decay_;
  nn::Network* network_ = nullptr;
  std::unique_ptr<Optimizer> optimizer_;
};

/// How B starts: an independent draw from W's initial distribution, or equal to W (as the original's
/// convolutions did with a model seed, since one seed served both).
enum class BackwardInitial { independent, as_forward };
/// Declares [rule] backward_initial.
BackwardInitial declare_backward_initial(Options& options);

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

 private:
  BackwardInitial initial_;
  std::vector<Tensor> kernels_;
};

}  // namespace lrid::rules
