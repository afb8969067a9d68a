#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/file.hpp>
#include <lrid/identify/run.hpp>

#include "commands.hpp"
#include "layout.hpp"
#include "threads.hpp"

namespace lrid::apps {

namespace {

struct RunArguments {
  std::filesystem::path config, data, out, splits;
  std::vector<std::string> assignments;
  std::string shard;
};

void run(const RunArguments& arguments, const CommonOptions& common) {
  const ThreadLimit threads(common);
  identify::RunRequest request{Config::from_file(arguments.config), arguments.data, arguments.out,
                               std::nullopt};
  for (const std::string& assignment : arguments.assignments) request.config.assign(assignment);
  if (!arguments.splits.empty()) request.splits = arguments.splits;
  if (arguments.shard.empty()) {
    fmt::print(summary_stream(arguments.out), "{}",
               identify::result_table(identify::run(request), columns()));
    return;
  }
  const auto [index, count] = parse_shard(arguments.shard);
  const identify::Cells cells =
      identify::run_shard(request, static_cast<std::size_t>(index), static_cast<std::size_t>(count));
  fmt::print("shard {}: {} of {} cells are in {}{}\n", arguments.shard, cells.done, cells.all,
             companion_path(arguments.out, ".cells").string(),
             cells.done == cells.all ? "; run without --shard, or report, puts them together" : "");
}

}  // namespace

void add_run(Program& program) {
  auto [command, arguments] = program.add<RunArguments>(
      "run", "Run an experiment on a dataset and write its results; an interrupted run resumes where it was.",
      {"lrid-classify run --config configs/experiments/separability.toml \\\n      --data dataset.h5 --out "
       "separability.json",
       "lrid-classify run --keys held-out"},
      run);
  command.add_option("--config", arguments.config, "configuration of the experiment")
      ->type_name("EXPERIMENT.toml")
      ->required();
  command.add_option("--data", arguments.data, "dataset file")->type_name("DATASET.h5")->required();
  command.add_option("--out", arguments.out, "results file to write")->type_name("RESULTS.json")->required();
  repeatable(
      command.add_option("--set", arguments.assignments, "overrides a configuration key; may be repeated"))
      ->type_name("KEY=VALUE");
  command
      .add_option("--save-splits", arguments.splits,
                  "also write which samples each split trains and tests on")
      ->type_name("FILE.json");
  command
      .add_option(
          "--shard", arguments.shard,
          "compute only the I-th (from 0) of N shares of the cells, for runs side by side; when all are "
          "done, run without it or report puts them together")
      ->type_name("I/N");
  add_printing_option(command, "--keys",
                      "print every configuration key of an experiment with its default and range",
                      identify::options_help)
      ->type_name("EXPERIMENT");
}

}  // namespace lrid::apps
