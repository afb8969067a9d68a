#pragma once

#include <string>
#include <string_view>

namespace lrid::rules {

/// What a rule does in a line, and the paper that it is from.
struct RuleDescription {
  /// δ: the error that arrives at a layer's output, e: the one it sends down. Fwd = W∗x + b, Bwd = B∗x + b,
  /// Rec = Bᵀ∗Fwd; ⟨·⟩: the mean over the batch, · a sum over units (learning-rules.md).
  std::string equation;
  std::string paper;
};

/// The description of a rule of the registry; std::out_of_range for another name.
const RuleDescription& description_of(std::string_view rule);

}  // namespace lrid::rules
