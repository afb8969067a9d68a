// lrid-train: trains networks and records how their observable statistics go along training.

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <lrid/core/app.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/observe/trajectory_recorder.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/runner.hpp>
#include <lrid/train/sweep.hpp>

namespace lrid {
namespace {

namespace fs = std::filesystem;

/// Joins the two libraries that do not know each other: the training loop and the recorder of trajectories.
class RecordingWatcher final : public train::Watcher {
 public:
  explicit RecordingWatcher(const train::RunPlan& plan)
      : plan_(plan), recorder_(plan.out, header(plan), observe::ObserverOptions::read(plan.source)) {}

  Existing existing(std::string& reason) override {
    const auto recorded = recorder_.recorded();
    if (!recorded) return Existing::nothing;
    if (const std::string difference =
            train::first_difference(recorded->config, plan_.toml, recorded->complete);
        !difference.empty())
      bad_input("{}: {}; expected the configuration it was made with, or another output", plan_.out.string(),
                difference);
    reason = recorded->failure;
    if (recorded->complete) return Existing::complete;
    return reason.empty() ? Existing::unfinished : Existing::failed;
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
    recorder_.end_point(point.step, point.epoch,
                        {{"train_loss", metrics.train_loss},
                         {"train_accuracy", metrics.train_accuracy},
                         {"validation_loss", metrics.validation_loss},
                         {"validation_accuracy", metrics.validation_accuracy}},
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

std::unique_ptr<train::Watcher> make_watcher(const train::RunPlan& plan) {
  return std::make_unique<RecordingWatcher>(plan);
}

void declare_observer(Options& options) {
  observe::ObserverOptions().declare(options);
}

struct Arguments {
  CommonOptions common;
  std::string config, sweep, out, out_dir, device, shard, list;
  std::string data_dir = "data";
  std::vector<std::string> assignments;
  int jobs = 1, cohort = 0;
  bool dry_run = false;
};

template <class Entry>
void print_names(const Registry<Entry>& registry) {
  for (const Entry& entry : registry.entries()) fmt::print("{}\n", entry.name);
}

void print_list(const std::string& what) {
  if (what == "architectures") return print_names(nn::architectures());
  if (what == "tasks") return print_names(tasks::tasks());
  if (what == "rules") return print_names(rules::learning_rules());
  if (what == "datasets") return print_names(tasks::datasets());
  bad_input("--list {}: expected {}", what,
            expected_one_of({"architectures", "tasks", "rules", "datasets"}, what));
}

/// File, then --set, then the options that have a spelling of their own.
Config read_config(const Arguments& arguments, const std::string& file) {
  Config config = file.empty() ? Config() : Config::from_file(file);
  for (const std::string& assignment : arguments.assignments) config.assign(assignment);
  if (!arguments.device.empty()) config.assign("compute.device", {arguments.device}, "--device");
  if (arguments.common.threads > 0)
    config.assign("compute.threads", {static_cast<std::int64_t>(arguments.common.threads)}, "--threads");
  return config;
}

train::RunnerOptions runner_options(const Arguments& arguments) {
  if (arguments.jobs < 1) bad_input("--jobs {}: expected a number ≥ 1", arguments.jobs);
  if (arguments.cohort < 0) bad_input("--cohort {}: expected a number ≥ 0", arguments.cohort);
  std::error_code ignored;
  if (!fs::is_directory(arguments.data_dir, ignored))
    bad_input("--data-dir {}: no such folder, expected the one that holds the data", arguments.data_dir);
  return {.data_dir = arguments.data_dir, .jobs = arguments.jobs, .cohort = arguments.cohort};
}

void train_one(const Arguments& arguments) {
  if (arguments.out.empty()) bad_input("--out: is missing, expected the file to write (RUN.h5)");
  require_writable(arguments.out, "--out");
  Config config = read_config(arguments, arguments.config);
  train::resolve_random_seed(config, arguments.out + ".seed");
  std::vector<train::RunPlan> plans;
  plans.push_back(train::make_plan(std::move(config), arguments.out, declare_observer));
  train::RunnerOptions options = runner_options(arguments);
  options.report_epochs = true;
  const auto outcome = train::run_all(plans, options, make_watcher).front();
  if (outcome.kind == train::RunOutcome::Kind::failed)
    work_failed("{}: failed: {}", arguments.out, outcome.reason);
  if (outcome.kind == train::RunOutcome::Kind::already_complete)
    spdlog::info("{}: is complete already", arguments.out);
  fmt::print("{}\n", arguments.out);
}

/// "I/N" with 0 ≤ I < N.
std::vector<train::RunPlan> apply_shard(std::vector<train::RunPlan> plans, const std::string& text) {
  if (text.empty()) return plans;
  const std::vector<std::string> parts = split(text, '/');
  const auto is_number = [](const std::string& part) {
    return !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
  };
  if (parts.size() != 2 || !is_number(parts[0]) || !is_number(parts[1]) ||
      std::stoll(parts[0]) >= std::stoll(parts[1]))
    bad_input("--shard {}: expected I/N with 0 ≤ I < N", text);
  return train::shard(std::move(plans), std::stoll(parts[0]), std::stoll(parts[1]));
}

void print_dry_run(const std::vector<train::RunPlan>& plans, const train::RunnerOptions& options) {
  const std::vector<train::Estimate> estimates = train::estimate(plans, options);
  double seconds = 0;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    std::string reason;
    const bool complete = make_watcher(plans[i])->existing(reason) == train::Watcher::Existing::complete;
    fmt::print("{}  {}  {:.0f} MB{}\n", plans[i].out.string(), format_duration(estimates[i].seconds),
               static_cast<double>(estimates[i].bytes) / 1e6, complete ? "  (complete already)" : "");
    if (!complete) seconds += estimates[i].seconds;
    bytes = std::max(bytes, estimates[i].bytes);
  }
  fmt::print(
      "{} networks; to do: {} of training on this machine one after the other; at most {:.0f} MB a network\n",
      plans.size(), format_duration(seconds), static_cast<double>(bytes) / 1e6);
}

void train_sweep(const Arguments& arguments) {
  if (arguments.out_dir.empty()) bad_input("--out-dir: is missing, expected the folder for the results");
  const train::RunnerOptions options = runner_options(arguments);
  std::error_code error;
  if (!arguments.dry_run) {
    fs::create_directories(arguments.out_dir, error);
    if (error) bad_input("--out-dir {}: cannot be made: {}", arguments.out_dir, error.message());
    require_writable(fs::path(arguments.out_dir) / "probe", "--out-dir");
  }
  Config config = read_config(arguments, arguments.sweep);
  if (fs::is_directory(arguments.out_dir, error))
    train::resolve_random_seed(config, fs::path(arguments.out_dir) / "seed");
  const std::vector<train::RunPlan> plans = apply_shard(
      train::expand_sweep(std::move(config), arguments.out_dir, declare_observer), arguments.shard);
  if (arguments.dry_run) return print_dry_run(plans, options);

  const std::vector<train::RunOutcome> outcomes = train::run_all(plans, options, make_watcher);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (outcomes[i].kind != train::RunOutcome::Kind::failed) continue;
    ++failed;
    fmt::print(stderr, "failed: {}: {}\n", plans[i].out.string(), outcomes[i].reason);
  }
  if (failed > 0) work_failed("{} of {} networks failed, listed above", failed, plans.size());
  spdlog::info("{} networks complete in {}", plans.size(), arguments.out_dir);
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
  app.add_option("--jobs", arguments.jobs, "cohorts of networks side by side")->capture_default_str();
  app.add_option("--cohort", arguments.cohort, "networks that share batches at the most, 0: as memory allows")
      ->capture_default_str();
  app.add_option("--shard", arguments.shard,
                 "I/N: every N-th network of the sweep, from the I-th (0 ≤ I < N)");
  app.add_flag("--dry-run", arguments.dry_run, "list the runs with an estimate of time and memory");
  app.add_option("--list", arguments.list, "names, one a line: architectures, tasks, rules or datasets");
  add_common_options(app, arguments.common);
  app.footer([] { return "\n" + train::options_help(declare_observer); });
  return run_app("lrid-train", [&] {
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
    if (!arguments.list.empty()) return print_list(arguments.list);
    if (!arguments.sweep.empty() && !arguments.config.empty())
      bad_input("--sweep and --config: expected one of the two");
    if (!arguments.sweep.empty()) return train_sweep(arguments);
    if (arguments.dry_run) bad_input("--dry-run: expected with --sweep");
    train_one(arguments);
  });
}

}  // namespace
}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_program(argc, argv);
}
