#include <fmt/format.h>

#include <lrid/identify/experiment.hpp>
#include <lrid/learn/classifier.hpp>

#include "commands.hpp"
#include "layout.hpp"

namespace lrid::apps {

namespace {

struct ListArguments {
  std::string what;
};

void list(const ListArguments& arguments, const CommonOptions& /*common*/) {
  if (arguments.what == "experiments") fmt::print("{}", listing(identify::experiments()));
  if (arguments.what == "classifiers") fmt::print("{}", listing(learn::classifiers()));
}

}  // namespace

void add_list(Program& program) {
  auto [command, arguments] = program.add<ListArguments>("list", "List what a configuration may name.",
                                                         {"lrid-classify list experiments"}, list);
  command.add_option("WHAT", arguments.what, "experiments or classifiers")
      ->check(one_of({"experiments", "classifiers"}))
      ->required();
}

}  // namespace lrid::apps
