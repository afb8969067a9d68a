#pragma once

// Rules whose B learns by a layer-wise loss R. Private to this library.

#include <functional>
#include <string>

#include <lrid/rules/learning_rule.hpp>

#include "coefficient.hpp"
#include "layerwise_loss.hpp"

namespace lrid::rules {

/// Source of the x in R.
enum class LossInput {
  none,   ///< R knows W and B only
  layer,  ///< the layer's input, in the forward pass that the task loss comes from
  noise   ///< standard normal values of the layer input's shape
};

/// The weights of R's terms in a step.
using WeightsInStep = std::function<LayerwiseWeights(const StepInfo&)>;

/// The rule that descends R by an Adam of its own and the task loss by SGDM, with the error carried down by
/// B:
///
///     error sent down   Bᵀδ
///     B by Adam on ∂R/∂B, with W, b and B from before the update
///
/// `declare` declares the coefficients of R in [rule] and says what they weigh.
RuleEntry layerwise_rule(const std::string& name, const std::string& summary, LossInput input,
                         const std::function<WeightsInStep(Options&)>& declare);

}  // namespace lrid::rules
