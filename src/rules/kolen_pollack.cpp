// Kolen-Pollack (Kolen & Pollack 1994; Akrout et al. 2019): B receives the updates that W receives, and a
// decay, so that what they started with is forgotten.
//
//     error sent down   Bᵀδ
//     B by the SGDM of W, on ∂(task loss without weight decay)/∂W + ∂R/∂B,   R = α·decay
//
// R's gradient is 2α·B while W decays with the weight decay λ: B meets W only where α = λ/2.

#include "coefficient.hpp"
#include "layerwise_loss.hpp"
#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

class KolenPollack final : public SeparateFeedback {
 public:
  KolenPollack(const SgdSettings& sgd, BackwardInitial initial, Coefficient alpha, KernelNoise noise)
      : SeparateFeedback(sgd, initial), sgd_(sgd), alpha_(alpha), noise_(noise) {}

  void attach(nn::Network& network, Key key) override {
    SeparateFeedback::attach(network, key);
    optimizer_ = make_sgd(kernel_parameters(), sgd_);
    weights_ = DeviceWeights(kernels().front().options());
    weight_of_layer_.clear();
    for (const auto& layer : network.layers())
      for (std::size_t i = 0; i < network.parameters().size(); ++i)
        if (network.parameters()[i].tensor.is_same(layer->weight)) weight_of_layer_.push_back(i);
  }

  void prepare(const StepInfo& info) override {
    SeparateFeedback::prepare(info);
    optimizer_->set_rate(info.learning_rate, info.step);
    weights_.set({.decay = alpha_.at(info.epoch, info.epochs)});
  }

  [[nodiscard]] std::uint64_t step_form() const override {
    return 2 * weights_.terms() + SeparateFeedback::step_form();
  }

  [[nodiscard]] Tensor layerwise_losses() const override { return losses_; }
  [[nodiscard]] StepWork work(const StepInfo&) const override { return {.kernels_learn = true}; }

  [[nodiscard]] std::vector<nn::NamedTensor> state() override {
    std::vector<nn::NamedTensor> result = SeparateFeedback::state();
    for (nn::NamedTensor& moment : optimizer_->state("backward_")) result.push_back(std::move(moment));
    return result;
  }

 protected:
  void use_gradients(const std::vector<Tensor>& task) override {
    std::vector<Tensor> gradients, losses;
    for (std::size_t i = 0; i < kernels().size(); ++i) {
      auto [loss, gradient] = layerwise_loss(*network().layers()[i], kernels()[i], {}, {}, weights_);
      losses.push_back(std::move(loss));
      gradients.push_back(gradient.add_(task[weight_of_layer_[i]]));
    }
    losses_ = at::stack(losses);
    optimizer_->update(gradients);
    add_noise(noise_, optimizer_->rate());
  }

 private:
  SgdSettings sgd_;
  Coefficient alpha_;
  KernelNoise noise_;
  DeviceWeights weights_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::size_t> weight_of_layer_;  // its place among the network's parameters
  Tensor losses_;
};

}  // namespace

RuleEntry kolen_pollack() {
  return {.name = "kp",
          .summary = "Kolen-Pollack: backward kernels that receive the updates of the forward ones",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings sgd = SgdSettings::declare(options, default_weight_decay);
            const BackwardInitial initial = declare_backward_initial(options);
            Coefficient alpha = Coefficient::declare(options, "alpha", 1e-3, "the decay term of R");
            bool matched = false;
            options.add("rule.alpha_from_weight_decay", matched, Accepts::anything(),
                        "alpha = weight_decay/2, where B and W decay alike and B meets W");
            if (matched) {
              if (options.is_set("rule.alpha"))
                options.fail("rule.alpha", "is set twice, expected without rule.alpha_from_weight_decay");
              alpha.value = sgd.weight_decay / 2;
              options.resolve("rule.alpha", {alpha.value});
            }
            return std::make_unique<KolenPollack>(sgd, initial, alpha, KernelNoise::declare(options));
          }};
}

}  // namespace lrid::rules
