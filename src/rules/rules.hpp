#pragma once

#include <lrid/rules/learning_rule.hpp>

namespace lrid::rules {

// One function per learning rule, each in its own file.
RuleEntry sgdm();
RuleEntry adam();
RuleEntry feedback_alignment();
RuleEntry information_alignment();
RuleEntry weight_mirror();
RuleEntry symmetric_alignment();
RuleEntry activation_alignment();
RuleEntry kolen_pollack();
RuleEntry direct_feedback_alignment();
RuleEntry uniform_sign_symmetry();
RuleEntry batchwise_sign_symmetry();
RuleEntry fixed_sign_symmetry();

}  // namespace lrid::rules
