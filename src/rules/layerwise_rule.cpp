#include "layerwise_rule.hpp"

#include <limits>
#include <numeric>

#include <torch/types.h>

#include <lrid/core/index.hpp>

#include "rule_parts.hpp"

namespace lrid::rules {

namespace {

/// How B learns, whatever the loss.
struct KernelLearning {
  enum class Schedule { as_forward, drops, constant };
  double learning_rate = 1e-3;
  Schedule schedule = Schedule::as_forward;
  AdamSettings adam;
  KernelNoise noise;

  static KernelLearning declare(Options& options);
  [[nodiscard]] double rate(const StepInfo& info) const {
    switch (schedule) {
      case Schedule::as_forward:
        return learning_rate * info.schedule_factor;
      case Schedule::drops:
        return learning_rate * info.drop_factor;
      case Schedule::constant:
        break;
    }
    return learning_rate;
  }
};

KernelLearning KernelLearning::declare(Options& options) {
  KernelLearning settings;
  options.add("rule.learning_rate", settings.learning_rate, Accepts::at_least(0),
              "learning rate of B's Adam, for any batch size");
  std::string schedule = "as-forward";
  options.add("rule.schedule", schedule, Accepts::one_of({"as-forward", "drops", "constant"}),
              "whether B's learning rate warms up and drops as W's does, or only drops, or neither");
  if (schedule == "drops") settings.schedule = Schedule::drops;
  if (schedule == "constant") settings.schedule = Schedule::constant;
  const Accepts fraction{.low = 0, .high = 0.9999999};
  options.add("rule.adam_beta1", settings.adam.beta1, fraction, "decay of the first moment of B's Adam");
  options.add("rule.adam_beta2", settings.adam.beta2, fraction, "decay of the second moment of B's Adam");
  options.add("rule.adam_epsilon", settings.adam.epsilon, Accepts::above(0), "ε of B's Adam");
  settings.noise = KernelNoise::declare(options);
  return settings;
}

/// x, or its standardised copy.
Tensor standardised(const Tensor& x, LossInput::Standardiser standardiser) {
  if (standardiser == LossInput::Standardiser::none) return x;
  // Over all units of a sample, which need not lie one behind another in memory.
  std::vector<std::int64_t> units(to_size(x.dim() - 1));
  std::iota(units.begin(), units.end(), 1);
  Tensor result = x - x.mean(units, /*keepdim=*/true);
  if (standardiser == LossInput::Standardiser::unit_length) {
    const Tensor length = at::linalg_vector_norm(result, 2, units, /*keepdim=*/true);
    // A constant sample has no direction: it stays zero.
    result.div_(length.clamp_min_(std::numeric_limits<float>::min()));
  }
  return result;
}

class LayerwiseRule final : public SeparateFeedback {
 public:
  LayerwiseRule(const SgdSettings& sgd, BackwardInitial initial, LayerwiseForm form,
                const KernelLearning& learning)
      : SeparateFeedback(sgd, initial),
        input_(form.input),
        weights_(std::move(form.weights)),
        learning_(learning) {}

  void attach(nn::Network& network, Key key) override {
    SeparateFeedback::attach(network, key);
    for (const auto& layer : network.layers()) layer->capture.keep_forward = input_.source != Source::none;
    optimizer_ = make_adam(kernel_parameters(), learning_.adam);
    device_weights_ = DeviceWeights(kernels().front().options());
  }

  void prepare(const StepInfo& info) override {
    SeparateFeedback::prepare(info);
    optimizer_->set_rate(learning_.rate(info), info.step - info.layerwise_rests);
    device_weights_.set(weights_(info));
  }

  [[nodiscard]] std::uint64_t step_form() const override {
    return 4 * device_weights_.terms() + (info().layerwise ? 2 : 0) + SeparateFeedback::step_form();
  }

  void update() override {
    // Before W moves: R sees the W, b and B of the forward pass.
    if (info().layerwise) align();
    for (const auto& layer : network().layers()) {
      layer->capture.input.reset();
      layer->capture.preactivation.reset();
    }
    SeparateFeedback::update();
  }

  [[nodiscard]] Tensor layerwise_losses() const override { return losses_; }
  [[nodiscard]] bool can_align_alone() const override { return true; }
  [[nodiscard]] StepWork work(const StepInfo& info) const override {
    const int own_forward = input_.source != Source::none && !forward_pass_serves() ? 1 : 0;
    return {.layer_products = layerwise_products(weights_(info)) + own_forward, .kernels_learn = true};
  }

  [[nodiscard]] std::vector<nn::NamedTensor> state() override {
    std::vector<nn::NamedTensor> result = SeparateFeedback::state();
    for (nn::NamedTensor& moment : optimizer_->state("backward_")) result.push_back(std::move(moment));
    return result;
  }

 private:
  using Source = LossInput::Source;

  void align() {
    const torch::NoGradGuard no_grad;
    if (input_.source != Source::none)
      device_weights_.set_batch(network().layers()[0]->capture.input.size(0));
    std::vector<Tensor> gradients, losses;
    for (std::size_t i = 0; i < kernels().size(); ++i) {
      auto [loss, gradient] = loss_of(i);
      losses.push_back(std::move(loss));
      gradients.push_back(std::move(gradient));
    }
    losses_ = at::stack(losses);
    optimizer_->update(gradients);
    add_noise(learning_.noise, optimizer_->rate());
  }

  LayerwiseLoss loss_of(std::size_t i) const {
    const nn::ObservedLayer& layer = *network().layers()[i];
    Tensor x = layer.capture.input, fwd = layer.capture.preactivation;
    if (input_.source != Source::none && !forward_pass_serves()) {
      if (input_.source == Source::noise)
        x = draws().normal("layer input", layer_name(i), network().step(), x.sizes(), x.options());
      x = standardised(x, input_.standardiser);
      fwd = input_.forward_bias ? layer.preactivation(x) : layer.apply(layer.weight.detach(), x);
    }
    // layerwise_loss() needs x for Bwd only.
    if (input_.backward_centred) x = x - x.mean(0, /*keepdim=*/true);
    return layerwise_loss(layer, kernels()[i], x, fwd, device_weights_);
  }

  /// Whether R's Fwd is what the task's forward pass has computed.
  [[nodiscard]] bool forward_pass_serves() const {
    return input_.source == Source::layer && input_.standardiser == LossInput::Standardiser::none &&
           input_.forward_bias;
  }

  LossInput input_;
  WeightsInStep weights_;
  DeviceWeights device_weights_;
  KernelLearning learning_;
  std::unique_ptr<Optimizer> optimizer_;
  Tensor losses_;
};

}  // namespace

LossInput LossInput::declare(Options& options) {
  LossInput input{.source = Source::layer};
  std::string source = "layer", standardiser = "none", backward = "as-forward";
  options.add("rule.input", source, Accepts::one_of({"layer", "noise"}),
              "the x in R: the layer's input, or standard normal noise in its place");
  options.add("rule.input_standardiser", standardiser, Accepts::one_of({"none", "centred", "unit-length"}),
              "what is done to x first: nothing; minus each sample's mean over units; and to unit length");
  options.add("rule.forward_bias", input.forward_bias, Accepts::anything(), "add W's bias in R's Fwd");
  options.add("rule.backward_input", backward, Accepts::one_of({"as-forward", "batch-centred"}),
              "the x in R's Bwd: the same, or minus its mean over the batch");
  if (source == "noise") input.source = Source::noise;
  if (standardiser == "centred") input.standardiser = Standardiser::centred;
  if (standardiser == "unit-length") input.standardiser = Standardiser::unit_length;
  input.backward_centred = backward == "batch-centred";
  return input;
}

RuleEntry layerwise_rule(const std::string& name, const std::string& summary,
                         const std::function<LayerwiseForm(Options&)>& declare) {
  return {.name = name,
          .summary = summary,
          .own_learning_rate = {},
          .make = [=](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings sgd = SgdSettings::declare(options, default_weight_decay);
            const BackwardInitial initial = declare_backward_initial(options);
            LayerwiseForm form = declare(options);
            return std::make_unique<LayerwiseRule>(sgd, initial, std::move(form),
                                                   KernelLearning::declare(options));
          }};
}

}  // namespace lrid::rules
