#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <lrid/tasks/task.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

/// Networks that train side by side on the same batches: they share task, dataset seed, batch size and
/// device. On a GPU all of them run while the host prepares the next step. A network's bits do not depend on
/// it.
class Cohort {
 public:
  /// For networks that share the batches of `plan`.
  Cohort(std::shared_ptr<const tasks::Task> task, const RunPlan& plan);

  void add(std::unique_ptr<NetworkRun> run) { runs_.push_back(std::move(run)); }
  [[nodiscard]] const std::vector<std::unique_ptr<NetworkRun>>& runs() const { return runs_; }

  /// The batch of the step, made when first asked for.
  using MakeBatch = std::function<tasks::Batch()>;
  using Advance = std::function<void(std::unique_ptr<NetworkRun>&, const MakeBatch&)>;
  /// Calls `advance` for each network that is furthest behind, so that networks which were interrupted at
  /// different steps meet. Those that it takes away (null) leave the cohort. Throws Interrupted.
  void step(const Advance& advance);

  /// After an error of the device: keeps the memory of batches for ever. Streams have read it, so that
  /// LibTorch would ask the device whether they are done, and the error end the process from a destructor.
  void leak_batches();

 private:
  std::shared_ptr<const tasks::Task> task_;  // the source refers to it
  std::unique_ptr<tasks::BatchSource> source_;
  tasks::Batch batch_;  // of the last step
  std::vector<std::unique_ptr<NetworkRun>> runs_;
};

}  // namespace lrid::train
