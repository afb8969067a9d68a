// Feedback alignment (Lillicrap et al. 2016): the error travels down through a random kernel that never
// changes; W, b and batch norms learn by SGDM from the errors that arrive.
//
//     error sent down   Bᵀδ,   B fixed
#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry feedback_alignment() {
  return {.name = "fa",
          .summary = "feedback alignment: fixed random backward kernels",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings settings = SgdSettings::declare(options, default_weight_decay);
            return std::make_unique<SeparateFeedback>(settings, declare_backward_initial(options));
          }};
}

}  // namespace lrid::rules
