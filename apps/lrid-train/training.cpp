#include "training.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/sweep/plans.hpp>

#include "program.hpp"
#include "recording_callback.hpp"

namespace lrid::apps {

namespace fs = std::filesystem;

void ConfigArguments::declare(CLI::App& command) {
  repeatable(command.add_option("--set", assignments, "overrides a configuration key; may be repeated"))
      ->type_name("KEY=VALUE");
  command.add_flag("--skip-bad", skip_bad,
                   "leave out images and sounds that cannot be read; each is named and counted");
}

Config ConfigArguments::read(const CommonOptions& common) const {
  Config config = file.empty() ? Config() : Config::from_file(file);
  for (const std::string& assignment : assignments) config.assign(assignment);
  if (skip_bad) config.assign("data.skip_bad", {true}, "--skip-bad");
  if (common.threads > 0)
    config.assign("compute.threads", {static_cast<std::int64_t>(common.threads)}, "--threads");
  return config;
}

void SweepArguments::declare(CLI::App& command) {
  command
      .add_option("SWEEP.toml", config.file,
                  "configuration with a table [sweep], whose keys have lists of values")
      ->required();
  config.declare(command);
  command.add_option("--shard", shard, "every N-th network only, starting with the I-th (0 ≤ I < N)")
      ->type_name("I/N");
}

void SweepArguments::declare_out_dir(CLI::App& command, const std::string& help) {
  command.add_option("--out-dir", out_dir, help)->type_name("DIR")->required();
}

std::vector<train::RunPlan> SweepArguments::expand(Config source) const {
  std::error_code ignored;
  if (fs::is_directory(out_dir, ignored)) train::resolve_random_seed(source, fs::path(out_dir) / "seed");
  std::vector<train::RunPlan> plans = sweep::expand_sweep(std::move(source), out_dir, declare_observer);
  if (shard.empty()) return plans;
  const Shard share = parse_shard(shard);
  return sweep::shard(std::move(plans), share.index, share.count);
}

void MachineArguments::declare(CLI::App& command) {
  command.add_option("--data-dir", data_dir, "folder that holds the data, or a pack of images")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--device", device, "auto, cpu, cuda or cuda:I; auto takes a GPU where there is one")
      ->type_name("DEVICE");
  command.add_flag("--deterministic", deterministic,
                   "on a GPU, use only kernels that give the same bits in every run; a CPU always does");
}

void MachineArguments::apply(Config& config) const {
  if (!device.empty()) config.assign("compute.device", {device}, "--device");
  if (deterministic) config.assign("compute.deterministic", {true}, "--deterministic");
}

void MachineArguments::require_data() const {
  std::error_code ignored;
  if (!fs::exists(data_dir, ignored))
    bad_input("--data-dir {}: no such folder, expected the one that holds the data, or a pack", data_dir);
}

void SchedulingArguments::declare(CLI::App& command) {
  command.add_flag("--retry-failed", retry_failed, "train networks that are marked failed again");
  command
      .add_option("--stale-after", stale_after,
                  "seconds without a heartbeat after which a network held by another host is taken over")
      ->type_name("S")
      ->capture_default_str();
  command
      .add_option("--end-margin", end_margin,
                  "seconds before SLURM_JOB_END_TIME in which no network is started")
      ->type_name("S")
      ->capture_default_str();
}

namespace {

/// When Slurm will end this job, if it does (seconds since 1970).
std::optional<std::chrono::system_clock::time_point> job_end() {
  const char* text = std::getenv("SLURM_JOB_END_TIME");
  if (text == nullptr || *text == '\0') return std::nullopt;
  const auto seconds = parse_number<std::int64_t>(text);
  if (!seconds) bad_input("SLURM_JOB_END_TIME = {}: expected seconds since 1970", text);
  return std::chrono::system_clock::time_point(std::chrono::seconds(*seconds));
}

}  // namespace

void SchedulingArguments::apply(sweep::RunnerOptions& options) const {
  if (!(stale_after >= 1)) bad_input("--stale-after {}: expected seconds ≥ 1", stale_after);
  if (!(end_margin >= 0)) bad_input("--end-margin {}: expected seconds ≥ 0", end_margin);
  options.retry_failed = retry_failed;
  options.stale_seconds = stale_after;
  options.end = job_end();
  options.end_margin_seconds = end_margin;
}

std::string configuration_keys() {
  return train::options_help(declare_observer);
}

void require_sweep_folder(const std::string& out_dir) {
  std::error_code ignored;
  if (!fs::is_directory(out_dir, ignored))
    bad_input("--out-dir {}: no such folder, expected that of a sweep", out_dir);
}

}  // namespace lrid::apps
