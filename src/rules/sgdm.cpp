// Backpropagation with stochastic gradient descent and Nesterov's momentum (Sutskever et al. 2013, in the
// form of torch.optim.SGD):
//
//     error sent down   Wᵀδ
//     m ← μm + g,   p ← p − η(g + μm),   g = ∂(task loss)/∂p + λp
#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

RuleEntry sgdm() {
  return {.name = "sgdm",
          .summary = "backpropagation, SGD with Nesterov momentum",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            return std::make_unique<TaskDescent>(SgdSettings::declare(options, default_weight_decay));
          }};
}

}  // namespace lrid::rules
