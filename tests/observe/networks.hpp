#pragma once

#include <memory>

#include <torch/types.h>

#include <lrid/nn/architecture.hpp>
#include <lrid/rules/learning_rule.hpp>

namespace lrid::observe {

inline std::unique_ptr<nn::Network> small_network(const std::string& name, bool channels_last) {
  nn::NetworkSpec spec;
  spec.input = {3, 16, 16};
  spec.initial_values = Key(1, "test");
  spec.channels_last = channels_last;
  return nn::architectures().at(name).build(spec);
}

inline std::unique_ptr<rules::LearningRule> rule_on(nn::Network& network, const std::string& name,
                                                    const std::string& toml = "") {
  Options options(Config::from_toml(toml, "test"));
  auto rule = rules::learning_rules().at(name).make(options, 0);
  rule->attach(network, Key(2, "rule"));
  return rule;
}

}  // namespace lrid::observe
