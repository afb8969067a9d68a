#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <lrid/nn/network.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

/// How a network does at a trajectory point. Training figures are means over the steps since the point
/// before (NaN at the first); accuracies are NaN where a task has none.
struct Metrics {
  double train_loss = 0, train_accuracy = 0, validation_loss = 0, validation_accuracy = 0;
};

/// A network at a trajectory point, in evaluation mode.
struct Point {
  std::int64_t index = 0, step = 0;
  double epoch = 0;
  nn::Network& network;
  rules::LearningRule& rule;
  const tasks::Task& task;
  /// The training batch of the step to come, made when asked for.
  std::function<tasks::Batch()> next_batch;
};

/// Whoever watches a run and keeps its trajectory. The training loop calls, for each trajectory point,
/// begin_point, then passes the probe set through the network with sink() in place, then end_point.
class Watcher {
 public:
  virtual ~Watcher() = default;

  /// What an earlier process left of this run.
  enum class Existing { nothing, unfinished, complete, failed };
  /// InputError naming the file if it belongs to a run of another configuration. `reason` receives why a
  /// failed run failed.
  virtual Existing existing(std::string& reason) = 0;
  /// Takes up an earlier process's trajectory as it was after `points` points; false if that is not to be
  /// had, and the run has to start anew.
  virtual bool restore(std::int64_t points) = 0;

  /// The run starts (or goes on): what it runs on is known now.
  virtual void start(nn::Network& network, const rules::LearningRule& rule, const tasks::Task& task) = 0;
  virtual void begin_point(const Point& point) = 0;
  virtual nn::LayerSink sink() = 0;
  virtual void end_point(const Point& point, const Metrics& metrics) = 0;
  /// Makes what was watched so far durable (status "running").
  virtual void save() = 0;
  /// The last call: writes the file with status "complete", or "failed: reason".
  virtual void finish(const std::string& failure) = 0;
};

using MakeWatcher = std::function<std::unique_ptr<Watcher>(const RunPlan&)>;

}  // namespace lrid::train
