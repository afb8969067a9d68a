// Activation alignment (Kunin et al. 2020): B learns to project the layer's input as W does.
//
//     error sent down   Bᵀδ
//     R = α·sparse + β·amp
//     B by Adam on ∂R/∂B
#include "layerwise_rule.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry activation_alignment() {
  return layerwise_rule(
      "aa", "activation alignment: backward kernels that learn to project as the forward ones do",
      [](Options& options) -> LayerwiseForm {
        const Coefficient alpha = Coefficient::declare(options, "alpha", 1e-3, "the sparse term of R");
        const Coefficient beta = Coefficient::declare(options, "beta", 2e-3, "the amplification term of R");
        const auto weights = [=](const StepInfo& now) -> LayerwiseWeights {
          return {.amp = beta.at(now.epoch, now.epochs), .sparse = alpha.at(now.epoch, now.epochs)};
        };
        return {{.source = LossInput::Source::layer}, weights};
      });
}

}  // namespace lrid::rules
