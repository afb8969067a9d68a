// Direct feedback alignment (Nøkland 2016): each hidden layer receives the output's error through a fixed
// random map of its own, at the output of its nonlinearity; nothing travels from layer to layer.
//
//     error at a hidden nonlinearity's output   e·M,   e = ∂(task loss)/∂(network's output), M fixed
//
// From there it goes back through ReLU and batch norm as usual. The places are those that architectures mark
// (nn::HiddenPlace). M is drawn normal; its scale was left open, ours keeps e·M as large as e per unit.
#include <cmath>
#include <map>

#include <torch/types.h>

#include <lrid/nn/keyed_tensor.hpp>

#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

class SendsNothing final : public nn::FeedbackPath {
 public:
  [[nodiscard]] Tensor kernel(const Tensor&) const override { return {}; }
};

class DirectFeedbackAlignment final : public TaskDescent {
 public:
  DirectFeedbackAlignment(const SgdSettings& sgd, std::optional<double> sd) : TaskDescent(sgd), sd_(sd) {}

  void attach(nn::Network& network, Key key) override {
    TaskDescent::attach(network, key);
    const auto silence = std::make_shared<SendsNothing>();
    for (const auto& layer : network.layers()) layer->set_feedback(silence);

    const std::int64_t outputs = network.layers().back()->spec().out;
    const double sd = sd_.value_or(1 / std::sqrt(static_cast<double>(outputs)));
    const auto options = network.layers().front()->weight.options().requires_grad(false);
    auto maps = std::make_shared<std::map<std::size_t, Tensor>>();
    constants_.clear();
    for (const nn::HiddenPlace& place : network.hidden_places()) {
      const std::string& name = network.layers()[place.layer]->spec().name;
      Tensor map = nn::keyed_normal({outputs, c10::multiply_integers(place.shape)},
                                    key.with("direct feedback").with(name), options)
                       .mul_(sd);
      constants_.push_back({"direct_feedback/" + name, map});
      maps->emplace(place.layer, std::move(map));
    }
    network.set_direct_feedback(
        [maps](std::size_t layer, const Tensor& error) { return error.mm(maps->at(layer)); });
  }

  [[nodiscard]] std::vector<nn::NamedTensor> constants() override { return constants_; }
  [[nodiscard]] StepWork work(const StepInfo&) const override { return {.direct_feedback = true}; }

 private:
  std::optional<double> sd_;
  std::vector<nn::NamedTensor> constants_;  // M [outputs, units] of each place
};

}  // namespace

RuleEntry direct_feedback_alignment() {
  return {.name = "dfa",
          .summary = "direct feedback alignment: the output's error through fixed random maps",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings sgd = SgdSettings::declare(options, default_weight_decay);
            std::optional<double> sd;
            options.add("rule.feedback_sd", sd, Accepts::above(0),
                        "standard deviation of the random maps; auto: 1/√(number of outputs)");
            return std::make_unique<DirectFeedbackAlignment>(sgd, sd);
          }};
}

}  // namespace lrid::rules
