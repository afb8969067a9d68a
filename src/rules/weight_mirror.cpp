// Weight mirror (Akrout et al. 2019), in the form of Kunin et al. 2020: B learns from how the layer answers
// to noise, in expectation W itself.
//
//     error sent down   Bᵀδ
//     R = α·decay + β·amp, with x standard normal noise of the layer input's shape
//     B by Adam on ∂R/∂B
#include "layerwise_rule.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry weight_mirror() {
  return layerwise_rule(
      "wm", "weight mirror: backward kernels that learn from noise", [](Options& options) -> LayerwiseForm {
        const Coefficient alpha = Coefficient::declare(options, "alpha", 1e-3, "the decay term of R");
        const Coefficient beta = Coefficient::declare(options, "beta", 1e-3, "the amplification term of R");
        const auto weights = [=](const StepInfo& now) -> LayerwiseWeights {
          return {.amp = beta.at(now.epoch, now.epochs), .decay = alpha.at(now.epoch, now.epochs)};
        };
        return {{.source = LossInput::Source::noise}, weights};
      });
}

}  // namespace lrid::rules
