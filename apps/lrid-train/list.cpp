#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/rules/rule_description.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/build_network.hpp>

#include "commands.hpp"
#include "layout.hpp"

namespace lrid::apps {

namespace {

struct ListArguments {
  std::string what;
};

/// Each rule with its equation and paper, indented below its name.
void print_rules() {
  for (const rules::RuleEntry& rule : rules::learning_rules().entries()) {
    const auto& [equation, paper] = rules::description_of(rule.name);
    fmt::print("{:<6} {}\n       {}\n       {}\n", rule.name, rule.summary, equation, paper);
  }
}

/// Architecture, task, and how large the network is or why there is none, for the shapes that the study's
/// data have.
void print_pairs() {
  for (const nn::Architecture& architecture : nn::architectures().entries())
    for (const tasks::TaskEntry& task : tasks::tasks().entries()) {
      std::string verdict;
      try {
        const auto network = train::outline_network(architecture.name, task.name);
        std::int64_t parameters = 0;
        for (const nn::Parameter& parameter : network->parameters()) parameters += parameter.tensor.numel();
        verdict = fmt::format("yes, {} parameters", parameters);
      } catch (const InputError& error) {
        verdict = fmt::format("no: {}", error.what());
      }
      fmt::print("{:<13} {:<9} {}\n", architecture.name, task.name, verdict);
    }
}

void list(const ListArguments& arguments, const CommonOptions& /*common*/) {
  if (arguments.what == "rules") print_rules();
  if (arguments.what == "architectures") fmt::print("{}", listing(nn::architectures()));
  if (arguments.what == "tasks") fmt::print("{}", listing(tasks::tasks()));
  if (arguments.what == "datasets") fmt::print("{}", listing(tasks::datasets()));
  if (arguments.what == "pairs") print_pairs();
}

}  // namespace

void add_list(Program& program) {
  auto [command, arguments] =
      program.add<ListArguments>("list", "List what a configuration may name.",
                                 {"lrid-train list rules", "lrid-train list pairs"}, list);
  command
      .add_option("WHAT", arguments.what,
                  "rules, architectures, tasks, datasets (what each expects in --data-dir), or pairs (which "
                  "architecture suits which task)")
      ->check(one_of({"rules", "architectures", "tasks", "datasets", "pairs"}))
      ->required();
}

}  // namespace lrid::apps
