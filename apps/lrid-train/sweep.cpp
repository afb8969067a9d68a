#include <algorithm>
#include <filesystem>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/cost/benchmark.hpp>
#include <lrid/cost/estimate.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/sweep/run_log.hpp>
#include <lrid/sweep/runner.hpp>

#include "commands.hpp"
#include "recording_callback.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

namespace fs = std::filesystem;

struct GridArguments {
  SweepArguments sweep;
  MachineArguments machine;
  SchedulingArguments scheduling;
  std::string devices, costs;
  int jobs = 0, cohort = 0;
  bool dry_run = false;
};

Config read_config(const GridArguments& arguments, const CommonOptions& common) {
  Config config = arguments.sweep.config.read(common);
  arguments.machine.apply(config);
  if (!arguments.devices.empty())
    config.assign("compute.device", {split(arguments.devices, ',').front()}, "--devices");
  return config;
}

sweep::RunnerOptions runner_options(const GridArguments& arguments) {
  sweep::RunnerOptions options{.data_dir = arguments.machine.data_dir, .cohort = arguments.cohort};
  arguments.scheduling.apply(options);
  if (!arguments.devices.empty()) {
    if (!arguments.machine.device.empty()) bad_input("--device and --devices: expected one of the two");
    options.gpus = train::parse_gpus(arguments.devices);
  }
  const int devices = std::max(1, static_cast<int>(options.gpus.size()));
  options.jobs = arguments.jobs == 0 ? devices : arguments.jobs;
  if (options.jobs < devices)
    bad_input("--jobs {}: expected a number ≥ {}, the devices", arguments.jobs, devices);
  if (arguments.cohort < 0) bad_input("--cohort {}: expected a number ≥ 0", arguments.cohort);
  arguments.machine.require_data();
  return options;
}

cost::CostTable measure_costs(const GridArguments& arguments, const std::vector<train::RunPlan>& plans) {
  const sweep::RunnerOptions options = runner_options(arguments);
  return cost::measure_costs(
      plans, {.data_dir = options.data_dir, .jobs = options.jobs, .cohort = options.cohort}, make_callback);
}

void print_dry_run(const GridArguments& arguments, const std::vector<train::RunPlan>& plans) {
  const cost::CostTable table =
      arguments.costs.empty() ? measure_costs(arguments, plans) : cost::read_cost_table(arguments.costs);
  std::vector<bool> complete;
  for (const train::RunPlan& plan : plans)
    complete.push_back(make_callback(plan)->existing().kind == train::Existing::Kind::complete);
  fmt::print("{}", to_text(plans, complete, table));
}

void print_outcomes(const std::vector<train::RunPlan>& plans,
                    const std::vector<sweep::RunOutcome>& outcomes) {
  std::size_t failed = 0, elsewhere = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (outcomes[i].kind == sweep::RunOutcome::Kind::elsewhere) ++elsewhere;
    if (outcomes[i].kind != sweep::RunOutcome::Kind::failed) continue;
    ++failed;
    fmt::print(stderr, "failed: {}: {}\n", plans[i].out.string(), outcomes[i].reason);
  }
  if (elsewhere > 0) spdlog::warn("left to the processes that train them: {}", counted(elsewhere, "network"));
  if (failed > 0) work_failed("{} of {} failed, listed above", failed, counted(plans.size(), "network"));
}

void sweep(const GridArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads * std::max(1, arguments.jobs));
  if (arguments.dry_run)
    return print_dry_run(arguments, arguments.sweep.expand(read_config(arguments, common)));
  sweep::RunnerOptions options = runner_options(arguments);
  if (!arguments.costs.empty())
    options.best_cohort = [table = cost::read_cost_table(arguments.costs)](const train::RunPlan& plan) {
      return cost::best_cohort(plan, table);
    };
  const std::string& out_dir = arguments.sweep.out_dir;
  Config config = read_config(arguments, common);
  std::error_code error;
  fs::create_directories(out_dir, error);
  if (error) bad_input("--out-dir {}: cannot be made: {}", out_dir, error.message());
  require_writable(fs::path(out_dir) / "probe", "--out-dir");
  const std::vector<train::RunPlan> plans = arguments.sweep.expand(std::move(config));
  for (const train::RunPlan& plan : plans)
    sweep::require_not_beside(plan.out,
                              {arguments.sweep.config.file, arguments.costs, arguments.machine.data_dir});
  try {
    print_outcomes(plans, sweep::run_all(plans, options, make_callback));
  } catch (const sweep::DeviceFailure& failure) {
    // Only a new process can use the device again; the network that met the error is marked failed by now.
    spdlog::error("{}; starting anew without the network that met it", failure.what());
    throw StartAnew();
  }
  spdlog::info("{} complete in {}", counted(plans.size(), "network"), out_dir);
}

}  // namespace

void add_sweep(Program& program) {
  auto [command, arguments] =
      program.add<GridArguments>("sweep",
                                 "Train a grid of networks, skipping those that are complete. Any number of "
                                 "processes, on any hosts that share "
                                 "the folder, may work on one sweep.",
                                 {"lrid-train sweep configs/train/quickstart.toml --out-dir runs --dry-run",
                                  "lrid-train sweep configs/train/quickstart.toml --out-dir runs --jobs 2",
                                  "lrid-train sweep configs/study/cifar10.toml --out-dir runs --data-dir DIR "
                                  "\\\n      --devices cuda:0,cuda:1"},
                                 sweep);
  arguments.sweep.declare(command);
  arguments.sweep.declare_out_dir(command, "folder for the trajectory files");
  arguments.machine.declare(command);
  command.add_option("--devices", arguments.devices, "GPUs to spread the jobs over")->type_name("cuda:I,...");
  command.add_option("--jobs", arguments.jobs, "cohorts of networks trained side by side, 0: one a device")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--cohort", arguments.cohort,
                  "most networks that share batches, 0: as many as memory allows and --costs found fastest")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--costs", arguments.costs,
                  "costs that lrid-train benchmark measured, for --dry-run and the size of cohorts")
      ->type_name("COSTS.toml");
  command.add_flag("--dry-run", arguments.dry_run,
                   "list the networks with estimates of time, memory and disk; train none");
  arguments.scheduling.declare(command);
  add_printing_flag(command, "--keys", "print every configuration key with its default and range",
                    configuration_keys);
}

}  // namespace lrid::apps
