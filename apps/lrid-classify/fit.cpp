#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/identify/fit.hpp>

#include "commands.hpp"
#include "threads.hpp"

namespace lrid::apps {

namespace {

struct FitArguments {
  std::filesystem::path config, data, out;
  std::vector<std::string> assignments;
};

void fit(const FitArguments& arguments, const CommonOptions& common) {
  const ThreadLimit threads(common);
  identify::FitRequest request{Config::from_file(arguments.config), arguments.data, arguments.out};
  for (const std::string& assignment : arguments.assignments) request.config.assign(assignment);
  fmt::print("{}", identify::describe(identify::fit(request)));
}

}  // namespace

void add_fit(Program& program) {
  auto [command, arguments] = program.add<FitArguments>(
      "fit",
      "Fit a classifier to a dataset and keep it as a model file, with calibrations for networks like these "
      "and for others.",
      {"lrid-classify fit --config configs/classify/fit.toml --data dataset.h5 \\\n      --out model.h5"},
      fit);
  command
      .add_option("--config", arguments.config,
                  "configuration as of run; its experiment does not matter. features.transform may "
                  "also be auto (default), and features.position is false by default")
      ->type_name("CONFIG.toml")
      ->required();
  command.add_option("--data", arguments.data, "dataset file")->type_name("DATASET.h5")->required();
  command.add_option("--out", arguments.out, "model file to write")->type_name("MODEL.h5")->required();
  repeatable(
      command.add_option("--set", arguments.assignments, "overrides a configuration key; may be repeated"))
      ->type_name("KEY=VALUE");
}

}  // namespace lrid::apps
