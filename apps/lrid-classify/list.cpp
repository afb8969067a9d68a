#include <filesystem>
#include <ranges>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <lrid/identify/experiment.hpp>
#include <lrid/identify/fit.hpp>
#include <lrid/identify/shipped_models.hpp>
#include <lrid/learn/classifier.hpp>

#include "commands.hpp"
#include "layout.hpp"

namespace lrid::apps {

namespace {

struct ListArguments {
  std::string what;
};

/// The shipped models: where they are, and what they were fitted to.
void list_models() {
  for (const std::filesystem::path& path : identify::shipped_models()) {
    const std::string description = identify::describe(identify::read_fitted(path));
    fmt::print("{}\n", path.string());
    for (const auto line : description | std::views::split('\n'))
      if (!line.empty()) fmt::print("  {}\n", std::string_view(line.begin(), line.end()));
  }
}

void list(const ListArguments& arguments, const CommonOptions& /*common*/) {
  if (arguments.what == "experiments") fmt::print("{}", listing(identify::experiments()));
  if (arguments.what == "classifiers") fmt::print("{}", listing(learn::classifiers()));
  if (arguments.what == "models") list_models();
}

}  // namespace

void add_list(Program& program) {
  auto [command, arguments] =
      program.add<ListArguments>("list", "List what a configuration may name, or the shipped models.",
                                 {"lrid-classify list experiments"}, list);
  command.add_option("WHAT", arguments.what, "experiments, classifiers or models")
      ->check(one_of({"experiments", "classifiers", "models"}))
      ->required();
}

}  // namespace lrid::apps
