#include <algorithm>

#include <lrid/core/interrupt.hpp>
#include <lrid/train/cohort.hpp>

namespace lrid::train {

Cohort::Cohort(std::shared_ptr<const tasks::Task> task, const RunPlan& plan)
    : task_(std::move(task)),
      source_(task_->batches(plan.config.dataset_seed, plan.config.batch_size,
                             plan.config.compute.torch_device())) {}

void Cohort::step(const Advance& advance) {
  const std::int64_t step =
      (*std::ranges::min_element(runs_, {}, [](const auto& run) { return run->step(); }))->step();
  tasks::Batch batch;
  const MakeBatch make_batch = [&] {
    if (!batch.inputs.defined()) batch = source_->batch(step);
    return batch;
  };
  for (std::unique_ptr<NetworkRun>& run : runs_) {
    check_interrupt();
    if (run->step() == step) advance(run, make_batch);
  }
  std::erase(runs_, nullptr);
}

}  // namespace lrid::train
