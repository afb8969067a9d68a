// Backpropagation with Adam (Kingma & Ba 2015):
//
//     error sent down   Wᵀδ
//     m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²,   p ← p − η·m̂/(√v̂ + ε),   g = ∂(task loss)/∂p + λp
//
// with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ); the optimiser's header has TensorFlow's placing of ε.
#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry adam() {
  return {.name = "adam",
          .summary = "backpropagation, Adam",
          .own_learning_rate = 1e-3,
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const AdamSettings settings = AdamSettings::declare(options, default_weight_decay);
            return std::make_unique<TaskDescent>(
                [settings](std::vector<nn::Parameter> all) { return make_adam(std::move(all), settings); },
                settings.weight_decay);
          }};
}

}  // namespace lrid::rules
