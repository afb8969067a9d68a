#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

/// Tasks by what their options say, loaded when first asked for: networks that train on the same data share
/// it.
class TaskPool {
 public:
  /// Loads with as many threads as the plan that has most.
  TaskPool(std::filesystem::path data_dir, const std::vector<RunPlan>& plans);
  std::shared_ptr<const tasks::Task> get(const RunPlan& plan);

 private:
  std::filesystem::path data_dir_;
  std::int64_t threads_ = 1;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const tasks::Task>> tasks_;
};

}  // namespace lrid::train
