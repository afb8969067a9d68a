#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/train/device_graph.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::sweep {

/// How many runs are made at once, and on what data.
struct RunnerOptions {
  std::filesystem::path data_dir;
  int jobs = 1;    ///< cohorts side by side
  int cohort = 0;  ///< networks that share batches at the most, 0: as many as memory and jobs allow
  /// Networks side by side at which a plan's kind was measured to train fastest; null, or nothing: not known,
  /// and then 32 at the most on a GPU unless `cohort` is set. What is measured is bounded by `cohort` and
  /// memory.
  std::function<std::optional<std::int64_t>(const train::RunPlan&)> best_cohort{};
  double memory_share = 0.5;                          ///< of the device's memory, that a cohort may take
  bool report_epochs = false;                         ///< a line per epoch
  train::DeviceGraphs graphs = train::device_graphs;  ///< what steps are recorded with
  /// GPUs that jobs are spread over in turn; empty: the one that each plan names.
  std::vector<std::int64_t> gpus{};
  bool retry_failed = false;   ///< networks marked failed are trained again
  double stale_seconds = 600;  ///< a lease without heartbeat for so long belongs to a dead process (Leases)
  /// When the scheduler will end the process, and how long before that no network is begun any more.
  std::optional<std::chrono::system_clock::time_point> end{};
  double end_margin_seconds = 150;
};

/// What became of a run.
struct RunOutcome {
  enum class Kind { trained, already_complete, failed, elsewhere } kind;
  std::string reason;  ///< of a failure
};

/// A device is in a state that only a new process can mend. The network that met it is marked failed.
class DeviceFailure : public WorkError {
 public:
  using WorkError::WorkError;
};

/// Trains all plans, in cohorts of networks that share batches, `jobs` cohorts side by side; what is complete
/// is skipped, what was begun goes on. A network's file does not depend on cohorts, jobs or interruptions.
/// Networks that other processes are training are left to them (sweep/leases.hpp); if one of those dies
/// meanwhile, its networks are taken over.
///
/// A network that diverges, or does not fit into memory even alone, or at which three processes were killed
/// (UnloggedExits), is marked failed in its file with the reason; the others go on. What stops all, with
/// their states written where that is possible: Interrupted, if a signal asks for it or the time left is too
/// short to begin another network; WorkError where files cannot be written; DeviceFailure; InputError for
/// what is wrong with the data, or with files that are in the way, most of it before anything is trained.
/// Outcomes are in the order of plans.
std::vector<RunOutcome> run_all(const std::vector<train::RunPlan>& plans, const RunnerOptions& options,
                                const train::MakeCallback& make_callback);

}  // namespace lrid::sweep
