#pragma once

// Rules whose B learns by a layer-wise loss R. Private to this library.

#include <functional>
#include <string>

#include <lrid/rules/learning_rule.hpp>

#include "coefficient.hpp"
#include "layerwise_loss.hpp"

namespace lrid::rules {

/// The x in R, which stands in Fwd, Bwd and Rec.
struct LossInput {
  enum class Source {
    none,   ///< R knows W and B only
    layer,  ///< the layer's input, in the forward pass that the task loss comes from
    noise   ///< standard normal values of the layer input's shape
  };
  enum class Standardiser {
    none,
    centred,     ///< each sample minus its mean over all units
    unit_length  ///< centred, then divided by its Euclidean norm
  };
  Source source = Source::none;
  Standardiser standardiser = Standardiser::none;
  bool forward_bias = true;       ///< b in Fwd
  bool backward_centred = false;  ///< Bwd's x minus its mean over the batch

  /// Declares rule.input, rule.input_standardiser, rule.forward_bias and rule.backward_input.
  static LossInput declare(Options& options);
};

/// The weights of R's terms in a step.
using WeightsInStep = std::function<LayerwiseWeights(const StepInfo&)>;

/// R of one rule: what its terms are formed of, and what they weigh.
struct LayerwiseForm {
  LossInput input;
  WeightsInStep weights;
};

/// The rule that descends R by an Adam of its own and the task loss by SGDM, with the error carried down by
/// B:
///
///     error sent down   Bᵀδ
///     B by Adam on ∂R/∂B, with W, b and B from before the update
///
/// `declare` declares the coefficients of R in [rule] and says what they weigh.
RuleEntry layerwise_rule(const std::string& name, const std::string& summary,
                         const std::function<LayerwiseForm(Options&)>& declare);

}  // namespace lrid::rules
