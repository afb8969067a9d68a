// Symmetric alignment (Kunin et al. 2020): B is pulled towards W itself; not local, but what local rules are
// measured by. R is least at B = β/(2α)·W.
//
//     error sent down   Bᵀδ
//     R = α·decay + β·self
//     B by Adam on ∂R/∂B
#include "layerwise_rule.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry symmetric_alignment() {
  return layerwise_rule(
      "sa", "symmetric alignment: backward kernels that are pulled to the forward ones",
      [](Options& options) -> LayerwiseForm {
        const Coefficient alpha = Coefficient::declare(options, "alpha", 1e-3, "the decay term of R");
        const Coefficient beta = Coefficient::declare(options, "beta", 2e-3, "the self term of R");
        const auto weights = [=](const StepInfo& now) -> LayerwiseWeights {
          return {.decay = alpha.at(now.epoch, now.epochs), .self = beta.at(now.epoch, now.epochs)};
        };
        return {{}, weights};
      });
}

}  // namespace lrid::rules
