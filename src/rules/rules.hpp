#pragma once

#include <lrid/rules/learning_rule.hpp>

namespace lrid::rules {

// One function per learning rule, each in its own file.
RuleEntry sgdm();
RuleEntry adam();
RuleEntry feedback_alignment();
RuleEntry information_alignment();

}  // namespace lrid::rules
