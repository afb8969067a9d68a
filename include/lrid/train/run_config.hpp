#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/types.h>

#include <lrid/core/options.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/schedule.hpp>

namespace lrid::train {

/// `[compute]`: where and how the arithmetic is done.
struct Compute {
  std::string device = "auto";        ///< "cpu" or "cuda" once resolved
  std::int64_t device_index = 0;      ///< which GPU; not recorded, since it changes nothing
  std::int64_t threads = 0;           ///< per network, 0: all cores; resolved when the plan is made
  bool channels_last = true;          ///< memory layout of convolutions
  std::string precision = "float32";  ///< float32 (exact), tf32 or bf16
  bool autotune = false;              ///< cuDNN tries which algorithm is fastest
  bool deterministic = false;         ///< a GPU's kernels give the same bits in every run
  bool record_steps = true;           ///< on a GPU, record a step and replay it: the same numbers, sooner

  [[nodiscard]] torch::Device torch_device() const;
  /// The device's memory, in bytes.
  [[nodiscard]] std::int64_t memory() const;
  /// Tells LibTorch, which knows one setting for the whole process: tf32, autotuning, deterministic kernels.
  void apply() const;
};

/// One network to be trained: every choice that decides its bits, resolved and validated.
struct RunConfig {
  std::string architecture = "KNet4", task = "cifar10", learning_rule = "sgdm";
  std::int64_t batch_size = 128, points = 21;
  double epochs = 100;
  SeedSetting seed{SeedSetting::Kind::fixed, 0}, model_seed_setting, dataset_seed_setting;
  std::int64_t model_seed = 0, dataset_seed = 0;  ///< the numbers really used
  double learning_rate = 0;                       ///< at factor 1, batch scaling included
  Schedule schedule;
  Compute compute;
  bool keep_checkpoints = false;
  double state_seconds = 10;  ///< least time between two writes of the state that a resume needs
  std::optional<std::int64_t> validation_samples;

  /// Steps of the whole run, ⌊epochs · steps per epoch⌋.
  [[nodiscard]] std::int64_t steps(std::int64_t steps_per_epoch) const;
  /// The step of trajectory point t of a run of `steps` steps: ⌊t·steps/(points−1)⌋ (formats.md).
  [[nodiscard]] std::int64_t point_step(std::int64_t point, std::int64_t steps) const;
};

/// Declares options of whoever watches the run; the training library does not know them.
using DeclareMore = std::function<void(Options&)>;

/// A run that can be started.
struct RunPlan {
  RunConfig config;
  Config source;              ///< as given: fresh tasks, rules and watchers are made from it
  std::string toml;           ///< the full resolved configuration, as files record it
  std::string task_key;       ///< equal for runs that can share one loaded Task
  std::filesystem::path out;  ///< the trajectory file

  [[nodiscard]] std::string name() const { return out.stem().string(); }
  [[nodiscard]] std::unique_ptr<tasks::Task> make_task() const;
  [[nodiscard]] std::unique_ptr<rules::LearningRule> make_rule() const;
};

/// Resolves and validates a configuration; reads nothing from disk. InputError for whatever it gets wrong.
RunPlan make_plan(Config config, std::filesystem::path out, const DeclareMore& declare_more);

/// Help on every option of a training run: those of all tasks and learning rules.
std::string options_help(const DeclareMore& declare_more);

/// `seed = "random"` draws a seed from the system once and keeps it in `kept_in`, where a later call finds
/// it.
void resolve_random_seed(Config& config, const std::filesystem::path& kept_in);

/// "cuda:0,cuda:1" as GPU numbers; InputError unless each is one of this machine, named once.
std::vector<std::int64_t> parse_gpus(const std::string& list);

/// The first difference between two resolved configurations that makes them different runs, as
/// "optimizer.momentum was 0.9, now 0.8"; "" if there is none. A complete run may have been made with
/// another [compute] or [checkpoint]; one that is to be gone on with may not differ in [compute].
std::string first_difference(const std::string& recorded_toml, const std::string& wanted_toml, bool complete);

}  // namespace lrid::train
