#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lrid/core/app.hpp>
#include <lrid/core/options.hpp>
#include <lrid/sweep/runner.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::apps {

/// What is trained: a configuration file and what comes on top of it.
struct ConfigArguments {
  std::string file;
  std::vector<std::string> assignments;
  bool skip_bad = false;

  /// Declares --set and --skip-bad.
  void declare(CLI::App& command);
  /// The file, then --set, then --skip-bad and --threads.
  [[nodiscard]] Config read(const CommonOptions& common) const;
};

/// A grid of networks, or a share of it.
struct SweepArguments {
  ConfigArguments config;
  std::string out_dir, shard;

  /// Declares SWEEP.toml, --shard and what ConfigArguments declares.
  void declare(CLI::App& command);
  /// Declares --out-dir, "folder that ...".
  void declare_out_dir(CLI::App& command, const std::string& help);
  /// The plans of the share. A seed that was drawn for the folder --out-dir is kept in it.
  [[nodiscard]] std::vector<train::RunPlan> expand(Config config) const;
};

/// Where networks train: data and devices.
struct MachineArguments {
  std::string data_dir = "data", device;
  bool deterministic = false;

  /// Declares --data-dir, --device and --deterministic.
  void declare(CLI::App& command);
  /// Takes --device and --deterministic into the configuration.
  void apply(Config& config) const;
  /// InputError if there is no such folder (or pack) as --data-dir.
  void require_data() const;
};

/// How processes that train share their work and come to an end.
struct SchedulingArguments {
  bool retry_failed = false;
  double stale_after = 600, end_margin = 150;

  /// Declares --retry-failed, --stale-after and --end-margin.
  void declare(CLI::App& command);
  /// Takes them into the options; the job's end comes from SLURM_JOB_END_TIME.
  void apply(sweep::RunnerOptions& options) const;
};

/// Help on every configuration key, by table, with defaults and ranges.
std::string configuration_keys();

/// InputError if --out-dir is no folder.
void require_sweep_folder(const std::string& out_dir);

}  // namespace lrid::apps
