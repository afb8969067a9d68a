#include "rules.hpp"

namespace lrid::rules {

const Registry<RuleEntry>& learning_rules() {
  static const Registry<RuleEntry> registry("learning rule", {
                                                                 sgdm(),
                                                                 adam(),
                                                                 feedback_alignment(),
                                                                 information_alignment(),
                                                             });
  return registry;
}

}  // namespace lrid::rules
