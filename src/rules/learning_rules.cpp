#include "rules.hpp"

namespace lrid::rules {

const Registry<RuleEntry>& learning_rules() {
  static const Registry<RuleEntry> registry("learning rule", {
                                                                 sgdm(),
                                                                 adam(),
                                                                 feedback_alignment(),
                                                                 information_alignment(),
                                                                 weight_mirror(),
                                                                 symmetric_alignment(),
                                                                 activation_alignment(),
                                                                 kolen_pollack(),
                                                                 direct_feedback_alignment(),
                                                                 uniform_sign_symmetry(),
                                                                 batchwise_sign_symmetry(),
                                                                 fixed_sign_symmetry(),
                                                             });
  return registry;
}

}  // namespace lrid::rules
