// Information alignment (Kunin et al. 2020): as feedback alignment, but B learns by a layer-wise loss that
// lets it reconstruct the layer's input, and so aligns it with W.
//
//     error sent down   Bᵀδ
//     R = α·amp + β·null + γ·decay        (layerwise_loss.hpp)
//     B by Adam on ∂R/∂B, with R from the same forward pass as the task loss and W, b, B from before the
//     update
#include "layerwise_rule.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry information_alignment() {
  return layerwise_rule(
      "ia", "information alignment: backward kernels that learn to reconstruct",
      [](Options& options) -> LayerwiseForm {
        const Coefficient alpha = Coefficient::declare(options, "alpha", 2e-3, "the amplification term of R");
        const Coefficient beta = Coefficient::declare(options, "beta", 1e-3, "the null term of R");
        const Coefficient gamma = Coefficient::declare(options, "gamma", 1e-3, "the decay term of R");
        std::string null = "reconstruction", amplification = "output", decay = "weights";
        options.add("rule.null_form", null, Accepts::one_of({"reconstruction", "reversal"}),
                    "the null term: ‖Bᵀ·Fwd‖², or ‖Wᵀ·Bwd‖²");
        options.add("rule.amplification_form", amplification, Accepts::one_of({"output", "reconstruction"}),
                    "the amplification term: Fwd·Bwd, or x·(Bᵀ·Fwd), which is it without Bwd's bias");
        options.add("rule.decay_form", decay, Accepts::one_of({"weights", "sparse"}),
                    "the decay term: of W and B, or of Fwd and Bwd");
        const LossInput input = LossInput::declare(options);
        const auto weights = [=](const StepInfo& now) {
          LayerwiseWeights w;
          w.amp = alpha.at(now.epoch, now.epochs);
          w.amp_bias = amplification == "output";
          (null == "reversal" ? w.reversed_null : w.null) = beta.at(now.epoch, now.epochs);
          (decay == "sparse" ? w.sparse : w.decay) = gamma.at(now.epoch, now.epochs);
          return w;
        };
        return {input, weights};
      });
}

}  // namespace lrid::rules
