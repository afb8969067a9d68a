// lrid-train: trains networks and records how their observable statistics go along training.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/cost/benchmark.hpp>
#include <lrid/cost/estimate.hpp>
#include <lrid/data/pack.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/observe/trajectory_recorder.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/sweep/plans.hpp>
#include <lrid/sweep/runner.hpp>
#include <lrid/sweep/status.hpp>
#include <lrid/sweep/verify.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/build_network.hpp>

namespace lrid {
namespace {

namespace fs = std::filesystem;

/// Joins the two libraries that do not know each other: the training loop and the recorder of trajectories.
class RecordingCallback final : public train::TrainingCallback {
 public:
  explicit RecordingCallback(const train::RunPlan& plan)
      : plan_(plan), recorder_(plan.out, header(plan), observe::ObserverOptions::read(plan.source)) {}

  train::Existing existing() override {
    const auto recorded = recorder_.recorded();
    if (!recorded) return {};
    using Kind = train::Existing::Kind;
    const Kind kind = recorded->complete          ? Kind::complete
                      : recorded->failure.empty() ? Kind::unfinished
                                                  : Kind::failed;
    return {kind, recorded->failure, recorded->config, recorded->software, recorded->points, recorded->step};
  }
  std::string find_fault() override {
    return io::find_fault(plan_.out, plan_.config.points, plan_.config.keep_checkpoints);
  }
  bool restore(std::int64_t points) override { return recorder_.restore(points); }
  void start(nn::Network& network, const rules::LearningRule& rule, const tasks::Task& task) override {
    recorder_.start(network, rule, task);
  }
  void begin_point(const train::Point& point) override {
    recorder_.begin_point(point.network, point.rule, point.task, point.next_batch);
  }
  nn::LayerSink sink() override { return recorder_.sink(); }
  void end_point(const train::Point& point, const train::Metrics& metrics) override {
    std::map<std::string, double> named{{"train_loss", metrics.train_loss},
                                        {"train_accuracy", metrics.train_accuracy},
                                        {"validation_loss", metrics.validation_loss},
                                        {"validation_accuracy", metrics.validation_accuracy}};
    const std::vector<std::string> more = point.task.more_metrics();
    for (std::size_t i = 0; i < more.size(); ++i) named[more[i]] = metrics.more[i];
    recorder_.end_point(point.step, point.epoch, named,
                        plan_.config.keep_checkpoints ? &point.network : nullptr);
  }
  void save() override { recorder_.save(); }
  void finish(const std::string& failure) override { recorder_.finish(failure); }

 private:
  static observe::TrajectoryHeader header(const train::RunPlan& plan) {
    const train::RunConfig& config = plan.config;
    return {.architecture = config.architecture,
            .task = config.task,
            .learning_rule = config.learning_rule,
            .batch_size = config.batch_size,
            .model_seed = config.model_seed,
            .dataset_seed = config.dataset_seed,
            .model_seed_drawn = config.model_seed_setting.kind != SeedSetting::Kind::fixed,
            .dataset_seed_drawn = config.dataset_seed_setting.kind != SeedSetting::Kind::fixed,
            .epochs = config.epochs,
            .config = plan.toml};
  }

  const train::RunPlan& plan_;
  observe::TrajectoryRecorder recorder_;
};

std::unique_ptr<train::TrainingCallback> make_callback(const train::RunPlan& plan) {
  return std::make_unique<RecordingCallback>(plan);
}

void declare_observer(Options& options) {
  observe::ObserverOptions().declare(options);
}

/// The program is to be replaced by a new process of itself.
struct StartAnew {};

struct Arguments {
  CommonOptions common;
  std::string config, sweep, out, out_dir, costs, device, devices, shard, list;
  std::string data_dir = "data";
  std::vector<std::string> assignments;
  int jobs = 0, cohort = 0;
  double stale_after = 600, end_margin = 150;
  bool dry_run = false, status = false, verify = false, retry_failed = false, json = false;
  bool benchmark = false, skip_bad = false, deterministic = false;
  std::string pack;

  /// Looks only: needs no data and writes nothing.
  [[nodiscard]] bool looks_on() const { return status || verify; }
};

template <class Entry>
void print_names(const Registry<Entry>& registry) {
  for (const Entry& entry : registry.entries()) fmt::print("{}\n", entry.name);
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
      fmt::print("{:<12} {:<9} {}\n", architecture.name, task.name, verdict);
    }
}

void print_list(const std::string& what) {
  if (what.empty() || what == "pairs") return print_pairs();
  if (what == "architectures") return print_names(nn::architectures());
  if (what == "tasks") return print_names(tasks::tasks());
  if (what == "rules") return print_names(rules::learning_rules());
  if (what == "datasets") return print_names(tasks::datasets());
  bad_input("--list {}: expected {}", what,
            expected_one_of({"architectures", "tasks", "rules", "datasets", "pairs"}, what));
}

/// File, then --set, then the options that have a spelling of their own.
Config read_config(const Arguments& arguments, const std::string& file) {
  Config config = file.empty() ? Config() : Config::from_file(file);
  for (const std::string& assignment : arguments.assignments) config.assign(assignment);
  if (arguments.skip_bad) config.assign("data.skip_bad", {true}, "--skip-bad");
  if (!arguments.device.empty()) config.assign("compute.device", {arguments.device}, "--device");
  if (arguments.deterministic) config.assign("compute.deterministic", {true}, "--deterministic");
  if (!arguments.devices.empty())
    config.assign("compute.device", {split(arguments.devices, ',').front()}, "--devices");
  if (arguments.common.threads > 0)
    config.assign("compute.threads", {static_cast<std::int64_t>(arguments.common.threads)}, "--threads");
  return config;
}

/// When Slurm will end this job, if it does (seconds since 1970).
std::optional<std::chrono::system_clock::time_point> job_end() {
  const char* text = std::getenv("SLURM_JOB_END_TIME");
  if (text == nullptr || *text == '\0') return std::nullopt;
  const auto seconds = parse_number<std::int64_t>(text);
  if (!seconds) bad_input("SLURM_JOB_END_TIME = {}: expected seconds since 1970", text);
  return std::chrono::system_clock::time_point(std::chrono::seconds(*seconds));
}

sweep::RunnerOptions runner_options(const Arguments& arguments) {
  sweep::RunnerOptions options{.data_dir = arguments.data_dir,
                               .cohort = arguments.cohort,
                               .retry_failed = arguments.retry_failed,
                               .stale_seconds = arguments.stale_after,
                               .end = job_end(),
                               .end_margin_seconds = arguments.end_margin};
  if (!arguments.devices.empty()) {
    if (!arguments.device.empty()) bad_input("--device and --devices: expected one of the two");
    options.gpus = train::parse_gpus(arguments.devices);
  }
  const int devices = std::max(1, static_cast<int>(options.gpus.size()));
  options.jobs = arguments.jobs == 0 ? devices : arguments.jobs;
  if (options.jobs < devices)
    bad_input("--jobs {}: expected a number ≥ {}, the devices", arguments.jobs, devices);
  if (arguments.cohort < 0) bad_input("--cohort {}: expected a number ≥ 0", arguments.cohort);
  if (!(arguments.stale_after >= 1))
    bad_input("--stale-after {}: expected seconds ≥ 1", arguments.stale_after);
  if (!(arguments.end_margin >= 0)) bad_input("--end-margin {}: expected seconds ≥ 0", arguments.end_margin);
  std::error_code ignored;
  if (!fs::exists(arguments.data_dir, ignored))
    bad_input("--data-dir {}: no such folder, expected the one that holds the data, or a pack",
              arguments.data_dir);
  return options;
}

cost::BenchmarkOptions benchmark_options(const Arguments& arguments) {
  const sweep::RunnerOptions options = runner_options(arguments);
  return {.data_dir = options.data_dir, .jobs = options.jobs, .cohort = options.cohort};
}

void train_one(const Arguments& arguments) {
  if (arguments.out.empty()) bad_input("--out: is missing, expected the file to write (RUN.h5)");
  require_writable(arguments.out, "--out");
  Config config = read_config(arguments, arguments.config);
  train::resolve_random_seed(config, arguments.out + ".seed");
  std::vector<train::RunPlan> plans;
  plans.push_back(train::make_plan(std::move(config), arguments.out, declare_observer));
  sweep::RunnerOptions options = runner_options(arguments);
  options.report_epochs = true;
  const auto outcome = sweep::run_all(plans, options, make_callback).front();
  if (outcome.kind == sweep::RunOutcome::Kind::failed)
    work_failed("{}: failed: {}", arguments.out, outcome.reason);
  if (outcome.kind == sweep::RunOutcome::Kind::elsewhere)
    work_failed("{}: another process is training it ({}.claim says which)", arguments.out, arguments.out);
  if (outcome.kind == sweep::RunOutcome::Kind::already_complete)
    spdlog::info("{}: is complete already", arguments.out);
  fmt::print("{}\n", arguments.out);
}

void pack(const Arguments& arguments) {
  if (arguments.out.empty()) bad_input("--out: is missing, expected the pack to write");
  require_writable(arguments.out, "--out");
  Options options(read_config(arguments, arguments.config));
  data::PackOptions pack_options;
  pack_options.declare(options);
  options.finish();
  const std::int64_t images =
      data::write_pack(arguments.pack, arguments.out, pack_options, threads_or_all(arguments.common.threads));
  spdlog::info("{} packed", counted(images, "image"));
  fmt::print("{}\n", arguments.out);
}

std::vector<train::RunPlan> expand_sweep(const Arguments& arguments) {
  Config config = read_config(arguments, arguments.sweep);
  std::error_code ignored;
  if (fs::is_directory(arguments.out_dir, ignored))
    train::resolve_random_seed(config, fs::path(arguments.out_dir) / "seed");
  std::vector<train::RunPlan> plans =
      sweep::expand_sweep(std::move(config), arguments.out_dir, declare_observer);
  if (arguments.shard.empty()) return plans;
  const Shard shard = parse_shard(arguments.shard);
  return sweep::shard(std::move(plans), shard.index, shard.count);
}

void print_dry_run(const Arguments& arguments, const std::vector<train::RunPlan>& plans) {
  const cost::CostTable table = arguments.costs.empty()
                                    ? cost::measure_costs(plans, benchmark_options(arguments), make_callback)
                                    : cost::read_cost_table(arguments.costs);
  std::vector<bool> complete;
  for (const train::RunPlan& plan : plans)
    complete.push_back(make_callback(plan)->existing().kind == train::Existing::Kind::complete);
  fmt::print("{}", to_text(plans, complete, table));
}

/// Measures what the networks of a sweep take on this machine, and adds it to the table in --out.
void benchmark(const Arguments& arguments) {
  if (arguments.out.empty())
    bad_input("--out: is missing, expected the table of costs to write (COSTS.toml)");
  require_writable(arguments.out, "--out");
  cost::CostTable table;
  if (fs::exists(arguments.out)) table = cost::read_cost_table(arguments.out);
  table = cost::measure_costs(expand_sweep(arguments), benchmark_options(arguments), make_callback,
                              std::move(table));
  write_cost_table(arguments.out, table);
  fmt::print("{}{}\n", to_text(table), arguments.out);
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

void train_sweep(const Arguments& arguments) {
  if (arguments.dry_run) return print_dry_run(arguments, expand_sweep(arguments));
  sweep::RunnerOptions options = runner_options(arguments);
  if (!arguments.costs.empty())
    options.best_cohort = [table = cost::read_cost_table(arguments.costs)](const train::RunPlan& plan) {
      return cost::best_cohort(plan, table);
    };
  std::error_code error;
  fs::create_directories(arguments.out_dir, error);
  if (error) bad_input("--out-dir {}: cannot be made: {}", arguments.out_dir, error.message());
  require_writable(fs::path(arguments.out_dir) / "probe", "--out-dir");
  const std::vector<train::RunPlan> plans = expand_sweep(arguments);
  try {
    print_outcomes(plans, sweep::run_all(plans, options, make_callback));
  } catch (const sweep::DeviceFailure& failure) {
    // Only a new process can use the device again; the network that met the error is marked failed by now.
    spdlog::error("{}; starting anew without the network that met it", failure.what());
    throw StartAnew();
  }
  spdlog::info("{} complete in {}", counted(plans.size(), "network"), arguments.out_dir);
}

/// --status and --verify.
void look_on(const Arguments& arguments) {
  std::error_code ignored;
  if (!fs::is_directory(arguments.out_dir, ignored))
    bad_input("--out-dir {}: no such folder, expected that of a sweep", arguments.out_dir);
  const std::vector<train::RunPlan> plans = expand_sweep(arguments);
  if (arguments.status) {
    const sweep::SweepStatus status = sweep::sweep_status(plans, make_callback);
    fmt::print("{}", arguments.json ? to_json(status) : to_text(status));
    return;
  }
  const std::vector<sweep::Verdict> verdicts = sweep::verify(plans, make_callback);
  fmt::print("{}", arguments.json ? to_json(verdicts) : to_text(verdicts));
  const auto sound = std::ranges::count(verdicts, "", &sweep::Verdict::fault);
  if (sound < std::ssize(verdicts))
    work_failed("{}: {} of {} not sound", arguments.out_dir, std::ssize(verdicts) - sound,
                counted(verdicts.size(), "network"));
}

int run_program(int argc, char** argv) {
  CLI::App app("Trains networks and records how their observable statistics go along training.",
               "lrid-train");
  app.set_version_flag("--version", software());
  Arguments arguments;
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--config", arguments.config, "configuration of one run (TOML)");
  app.add_option("--sweep", arguments.sweep, "configuration of a grid of runs (TOML with a table [sweep])");
  app.add_option("--set", arguments.assignments,
                 "key=value, on top of the configuration file; may be repeated")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--out", arguments.out, "trajectory file to write, with --config");
  app.add_option("--out-dir", arguments.out_dir, "folder for the trajectory files, with --sweep");
  app.add_option("--data-dir", arguments.data_dir, "folder that holds the data")->capture_default_str();
  app.add_option("--device", arguments.device, "auto, cpu, cuda or cuda:i");
  app.add_flag(
      "--deterministic", arguments.deterministic,
      "on a GPU, only kernels that give the same bits in every run; on the processor it is always so");
  app.add_option("--devices", arguments.devices,
                 "cuda:0,cuda:1: GPUs that the jobs of a sweep are spread over");
  app.add_option("--jobs", arguments.jobs, "cohorts of networks side by side, 0: one a device")
      ->capture_default_str();
  app.add_option(
         "--cohort", arguments.cohort,
         "networks that share batches at the most, 0: as memory allows and --costs knows to be fastest; "
         "with --benchmark: how many to measure, 0: the fastest number")
      ->capture_default_str();
  app.add_option("--shard", arguments.shard,
                 "I/N: every N-th network of the sweep, from the I-th (0 ≤ I < N)");
  app.add_flag("--dry-run", arguments.dry_run, "list the runs with an estimate of time, memory and disk");
  app.add_flag("--benchmark", arguments.benchmark,
               "measure what the networks of a sweep take here, into the table of costs --out");
  app.add_option(
      "--costs", arguments.costs,
      "table of costs that --dry-run goes by instead of measuring, and from which a sweep takes its "
      "cohorts");
  app.add_flag("--status", arguments.status, "say what of a sweep is done, running, failed and waiting");
  app.add_flag("--verify", arguments.verify,
               "read every result of a sweep: complete, finite, made with this configuration?");
  app.add_flag("--json", arguments.json, "--status and --verify as JSON");
  app.add_flag("--retry-failed", arguments.retry_failed, "train networks again that are marked failed");
  app.add_option("--stale-after", arguments.stale_after,
                 "seconds without a heartbeat after which a network claimed on another host is taken over")
      ->capture_default_str();
  app.add_option("--end-margin", arguments.end_margin,
                 "begin no network in the last so many seconds before SLURM_JOB_END_TIME")
      ->capture_default_str();
  const CLI::Option* list =
      app.add_option("--list", arguments.list,
                     "names, one a line: architectures, tasks, rules or datasets; pairs (or nothing): which "
                     "architecture meets which task, and why not")
          ->expected(0, 1);
  app.add_option("--pack", arguments.pack,
                 "image folder to write into one file, --out; with --set pack.short_side, pack.quality");
  app.add_flag("--skip-bad", arguments.skip_bad,
               "leave out images and sounds that cannot be read: each is named, and they are counted");
  add_common_options(app, arguments.common);
  app.footer([] { return "\n" + train::options_help(declare_observer); });
  const auto body = [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& help_or_version) {
      app.exit(help_or_version);
      return;
    } catch (const CLI::ParseError& error) {
      bad_input("{}; expected options that --help lists", error.what());
    }
    arguments.common.apply();
    const stats::ThreadLimit threads(arguments.common.threads * std::max(1, arguments.jobs));
    if (list->count() > 0) return print_list(arguments.list);
    if (!arguments.pack.empty()) return pack(arguments);
    if (!arguments.sweep.empty() && !arguments.config.empty())
      bad_input("--sweep and --config: expected one of the two");
    if (arguments.json && !arguments.looks_on()) bad_input("--json: expected with --status or --verify");
    if (arguments.benchmark) {
      if (arguments.sweep.empty()) bad_input("--benchmark: expected with --sweep");
      return benchmark(arguments);
    }
    if (!arguments.sweep.empty()) {
      if (arguments.out_dir.empty()) bad_input("--out-dir: is missing, expected the folder for the results");
      return arguments.looks_on() ? look_on(arguments) : train_sweep(arguments);
    }
    if (arguments.dry_run || arguments.looks_on())
      bad_input("{}: expected with --sweep", arguments.dry_run  ? "--dry-run"
                                             : arguments.status ? "--status"
                                                                : "--verify");
    train_one(arguments);
  };
  try {
    return run_app("lrid-train", body);
  } catch (const StartAnew&) {
    ::execv("/proc/self/exe", argv);
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace
}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_program(argc, argv);
}
