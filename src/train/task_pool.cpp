#include <algorithm>

#include <lrid/train/task_pool.hpp>

namespace lrid::train {

TaskPool::TaskPool(std::filesystem::path data_dir, const std::vector<RunPlan>& plans)
    : data_dir_(std::move(data_dir)) {
  for (const RunPlan& plan : plans) threads_ = std::max(threads_, plan.config.compute.threads);
}

std::shared_ptr<const tasks::Task> TaskPool::get(const RunPlan& plan) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const tasks::Task>& entry = tasks_[plan.task_key];
  if (!entry) {
    std::shared_ptr<tasks::Task> task = plan.make_task();
    task->load(data_dir_, static_cast<int>(threads_));
    entry = task;
  }
  return entry;
}

}  // namespace lrid::train
