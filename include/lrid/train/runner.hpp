#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lrid/train/run_config.hpp>
#include <lrid/train/watcher.hpp>

namespace lrid::train {

/// How many runs are made at once, and on what data.
struct RunnerOptions {
  std::filesystem::path data_dir;
  int jobs = 1;    ///< cohorts side by side
  int cohort = 0;  ///< networks that share batches at the most, 0: as many as memory and jobs allow
  double memory_share = 0.5;   ///< of the device's memory, that a cohort may take
  bool report_epochs = false;  ///< a line per epoch
};

/// What became of a run.
struct RunOutcome {
  enum class Kind { trained, already_complete, failed } kind;
  std::string reason;  ///< of a failure
};

/// Trains all plans, in cohorts of networks that share batches, `jobs` cohorts side by side; what is complete
/// is skipped, what was begun goes on. A network's file does not depend on cohorts, jobs or interruptions.
/// One failed run does not stop the others. Throws Interrupted, with all states written, if a signal asks for
/// it; InputError for what is wrong with the data or with files that are in the way, before anything is
/// trained. Outcomes are in the order of plans.
std::vector<RunOutcome> run_all(const std::vector<RunPlan>& plans, const RunnerOptions& options,
                                const MakeWatcher& make_watcher);

/// What a run would take, from timing a few of its steps.
struct Estimate {
  double seconds = 0;      ///< of training, one network alone
  std::int64_t bytes = 0;  ///< peak memory of one network, beyond the data
};
/// One estimate per plan; equal (architecture, task, rule, batch size, compute) are measured once. Loads the
/// data.
std::vector<Estimate> estimate(const std::vector<RunPlan>& plans, const RunnerOptions& options);

}  // namespace lrid::train
