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
  batch_ = {};
  const MakeBatch make_batch = [&] {
    if (!batch_.inputs.defined()) batch_ = source_->batch(step);
    return batch_;
  };
  for (std::unique_ptr<NetworkRun>& run : runs_) {
    check_interrupt();
    if (run->step() == step) advance(run, make_batch);
  }
  std::erase(runs_, nullptr);
}

void Cohort::leak_batches() {
  static_cast<void>(new tasks::Batch(batch_));
  static_cast<void>(new std::shared_ptr(task_));  // the source's threads go on using it
  static_cast<void>(source_.release());
}

}  // namespace lrid::train
