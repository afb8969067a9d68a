#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/sweep/run_log.hpp>
#include <lrid/sweep/runner.hpp>

#include "commands.hpp"
#include "recording_callback.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

struct RunArguments {
  ConfigArguments config;
  MachineArguments machine;
  SchedulingArguments scheduling;
  std::string out;
};

void run(const RunArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads);
  require_writable(arguments.out, "--out", {arguments.config.file}, Sink::file);
  sweep::require_not_beside(arguments.out, {arguments.config.file, arguments.machine.data_dir});
  Config config = arguments.config.read(common);
  arguments.machine.apply(config);
  train::resolve_random_seed(config, companion_path(arguments.out, ".seed"));
  std::vector<train::RunPlan> plans;
  plans.push_back(train::make_plan(std::move(config), arguments.out, declare_observer));
  arguments.machine.require_data();
  sweep::RunnerOptions options{.data_dir = arguments.machine.data_dir, .report_epochs = true};
  arguments.scheduling.apply(options);
  const sweep::RunOutcome outcome = sweep::run_all(plans, options, make_callback).front();
  if (outcome.kind == sweep::RunOutcome::Kind::failed)
    work_failed("{}: failed: {}", arguments.out, outcome.reason);
  if (outcome.kind == sweep::RunOutcome::Kind::elsewhere)
    work_failed("{}: another process is training it ({}.claim says which)", arguments.out, arguments.out);
  if (outcome.kind == sweep::RunOutcome::Kind::already_complete)
    spdlog::info("{}: is complete already", arguments.out);
  fmt::print("{}\n", arguments.out);
}

}  // namespace

void add_run(Program& program) {
  auto [command, arguments] = program.add<RunArguments>(
      "run", "Train one network and record its trajectory; an interrupted run resumes where it was.",
      {"lrid-train run --config configs/train/base.toml --data-dir DIR --out sgdm.h5",
       "lrid-train run --config configs/train/base.toml --data-dir DIR --out fa.h5 \\\n      --set "
       "learning_rule=fa --set epochs=10"},
      run);
  command.add_option("--config", arguments.config.file, "configuration of the network and its training")
      ->type_name("RUN.toml")
      ->required();
  command.add_option("--out", arguments.out, "trajectory file to write")->type_name("RUN.h5")->required();
  arguments.config.declare(command);
  arguments.machine.declare(command);
  arguments.scheduling.declare(command);
  add_printing_flag(command, "--keys", "print every configuration key with its default and range",
                    configuration_keys);
}

}  // namespace lrid::apps
