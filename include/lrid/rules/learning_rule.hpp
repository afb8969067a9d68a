#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/registry.hpp>
#include <lrid/nn/network.hpp>

namespace lrid::rules {

/// What changes from step to step.
struct StepInfo {
  std::int64_t step = 0;             ///< steps already made
  double learning_rate = 0;          ///< of the task optimiser, schedule and batch scaling included
  double schedule_factor = 1;        ///< learning_rate relative to its base: 1 between warm-up and first drop
  double drop_factor = 1;            ///< the same without the warm-up
  double epoch = 0;                  ///< epochs already made
  double epochs = 1;                 ///< length of the run
  bool task = true;                  ///< whether the task loss is descended in this step
  bool layerwise = true;             ///< whether layer-wise losses are
  std::int64_t layerwise_rests = 0;  ///< steps already made in which layer-wise losses were not descended
};

/// What a step of a rule computes beyond the forward pass, the weight gradients, the error carried down from
/// layer to layer, and the optimiser of the network's parameters. Whoever asks what a step must cost
/// (cost/roofline.hpp) adds it up.
struct StepWork {
  /// Products of a layer's own size, in each layer: kernel∗x, a transposed one, or a kernel's gradient.
  int layer_products = 0;
  bool kernels_learn = false;  ///< B has gradients and is written
  /// Errors reach the hidden places from the output, each through a map of its own [outputs, units].
  bool direct_feedback = false;
};

/// A learning rule decides three things and nothing else: what carries the error down, which layer-wise
/// losses exist, and how W and B are updated (design.md). One object drives one network:
///
///     rule->attach(network, key);
///     loop: rule->prepare(info); forward; loss.backward(); rule->update();
///
/// Gradients of the task loss (without weight decay, which the rule adds) are in the parameters' `.grad()`;
/// update() uses them and zeroes or replaces them. Where info.task is false there is no backward pass and
/// there are no gradients. Nothing in update() waits for the device, and what changes from step to step lies
/// in device memory: a step that was recorded can be replayed as any other step of its form.
class LearningRule {
 public:
  virtual ~LearningRule() = default;

  /// Sets the layers' feedback paths and creates backward kernels and optimiser state. `network` outlives the
  /// rule.
  virtual void attach(nn::Network& network, Key key) = 0;
  /// Host side: takes in what changes from step to step, before the forward pass, and tells the network which
  /// step it is. May be repeated.
  virtual void prepare(const StepInfo& info) = 0;
  /// Device side: layer-wise losses from the pass just made, then the update of W and B.
  virtual void update() = 0;
  /// A number for the form of the prepared step: which losses it descends, which terms they have. Steps of
  /// one form do the same operations, on the same tensors.
  [[nodiscard]] virtual std::uint64_t step_form() const = 0;

  /// ½·weight_decay·Σ‖·‖² over what decays, for reporting the full loss. No gradient.
  [[nodiscard]] virtual nn::Tensor decay_loss() const = 0;
  /// R of each observed layer at the last update, [L]; undefined for rules without layer-wise losses.
  [[nodiscard]] virtual nn::Tensor layerwise_losses() const { return {}; }
  /// Whether the layer-wise losses can be descended without the task loss ([schedule] delay, alternate).
  [[nodiscard]] virtual bool can_align_alone() const { return false; }
  /// What a step like this one costs, for a step that descends every loss the rule has.
  [[nodiscard]] virtual StepWork work(const StepInfo& /*info*/) const { return {}; }
  /// B of an observed layer, undefined for rules without one. For sign rules the one that W's present signs
  /// and the prepared step give.
  [[nodiscard]] virtual nn::Tensor backward_kernel(std::size_t layer) const = 0;
  [[nodiscard]] virtual bool has_backward_kernels() const = 0;
  /// Everything beyond the network's own tensors that a resume needs: B, optimiser moments. The tensors are
  /// the live ones; copying saved values into them restores the state.
  [[nodiscard]] virtual std::vector<nn::NamedTensor> state() = 0;
  /// Tensors that attach() draws and nothing ever changes: a resume draws them again. Live, as those of
  /// state().
  [[nodiscard]] virtual std::vector<nn::NamedTensor> constants() { return {}; }
};

/// One rule of the registry. `make` declares and reads the rule's options ([optimizer] and [rule]).
struct RuleEntry {
  std::string name, summary;
  /// Base learning rate where it does not depend on the architecture and is not scaled by batch (Adam: 1e-3).
  std::optional<double> own_learning_rate;
  std::function<std::unique_ptr<LearningRule>(Options&, double default_weight_decay)> make;
};

const Registry<RuleEntry>& learning_rules();

}  // namespace lrid::rules
