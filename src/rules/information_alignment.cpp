// Information alignment (Kunin et al. 2020): as feedback alignment, but B learns by a layer-wise loss that
// lets it reconstruct the layer's input, and so aligns it with W.
//
//     error sent down   Bᵀδ
//     R = α·amp + β·null + γ·decay        (lrid/rules/layerwise_loss.hpp)
//     B by Adam on ∂R/∂B, with R from the same forward pass as the task loss and W, b, B from before the
//     update
#include <lrid/rules/layerwise_loss.hpp>

#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

struct InformationSettings {
  double alpha = 2e-3, beta = 1e-3, gamma = 1e-3;
  double learning_rate = 1e-3;  ///< of B's Adam
  bool scheduled = true;        ///< whether B's learning rate follows the schedule of W's
  AdamSettings adam;

  static InformationSettings declare(Options& options);
};

InformationSettings InformationSettings::declare(Options& options) {
  InformationSettings settings;
  const Accepts any = Accepts::at_least(0);
  options.add("rule.alpha", settings.alpha, any, "weight of the amplification term of R");
  options.add("rule.beta", settings.beta, any, "weight of the null term of R");
  options.add("rule.gamma", settings.gamma, any, "weight of the decay term of R");
  options.add("rule.learning_rate", settings.learning_rate, any,
              "learning rate of B's Adam, for any batch size");
  std::string schedule = "as-forward";
  options.add("rule.schedule", schedule, Accepts::one_of({"as-forward", "constant"}),
              "whether B's learning rate warms up and drops as W's does");
  settings.scheduled = schedule == "as-forward";
  const Accepts fraction{.low = 0, .high = 0.9999999};
  options.add("rule.adam_beta1", settings.adam.beta1, fraction, "decay of the first moment of B's Adam");
  options.add("rule.adam_beta2", settings.adam.beta2, fraction, "decay of the second moment of B's Adam");
  options.add("rule.adam_epsilon", settings.adam.epsilon, Accepts::above(0), "ε of B's Adam");
  return settings;
}

class InformationAlignment final : public SeparateFeedback {
 public:
  InformationAlignment(const SgdSettings& sgd, BackwardInitial initial, const InformationSettings& settings)
      : SeparateFeedback(sgd, initial), settings_(settings) {}

  void attach(nn::Network& network, Key key) override {
    SeparateFeedback::attach(network, key);
    std::vector<nn::Parameter> backward;
    for (std::size_t i = 0; i < kernels().size(); ++i) {
      network.layers()[i]->capture.keep_forward = true;
      backward.push_back({{network.layers()[i]->spec().name, kernels()[i]}, false});
    }
    backward_optimizer_ = make_adam(std::move(backward), settings_.adam);
  }

  void prepare(const StepInfo& info) override {
    SeparateFeedback::prepare(info);
    backward_optimizer_->set_rate(settings_.learning_rate * (settings_.scheduled ? info.schedule_factor : 1),
                                  info.step);
  }

  void update() override {
    // Before W moves: R sees the W, b and B of the forward pass.
    const LayerwiseWeights weights{.amp = settings_.alpha, .null = settings_.beta, .decay = settings_.gamma};
    std::vector<Tensor> gradients, losses;
    for (std::size_t i = 0; i < kernels().size(); ++i) {
      nn::ObservedLayer& layer = *network().layers()[i];
      auto [loss, gradient] =
          layerwise_loss(layer, kernels()[i], layer.capture.input, layer.capture.preactivation, weights);
      layer.capture.input.reset();
      layer.capture.preactivation.reset();
      losses.push_back(std::move(loss));
      gradients.push_back(std::move(gradient));
    }
    losses_ = at::stack(losses);
    backward_optimizer_->update(gradients);
    SeparateFeedback::update();
  }

  [[nodiscard]] Tensor layerwise_losses() const override { return losses_; }

  [[nodiscard]] std::vector<nn::NamedTensor> state() override {
    std::vector<nn::NamedTensor> result = SeparateFeedback::state();
    for (nn::NamedTensor& moment : backward_optimizer_->state("backward_"))
      result.push_back(std::move(moment));
    return result;
  }

 private:
  InformationSettings settings_;
  std::unique_ptr<Optimizer> backward_optimizer_;
  Tensor losses_;
};

}  // namespace

RuleEntry information_alignment() {
  return {.name = "ia",
          .summary = "information alignment: backward kernels that learn to reconstruct",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings sgd = SgdSettings::declare(options, default_weight_decay);
            const BackwardInitial initial = declare_backward_initial(options);
            return std::make_unique<InformationAlignment>(sgd, initial,
                                                          InformationSettings::declare(options));
          }};
}

}  // namespace lrid::rules
