#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lrid/nn/network.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

/// How a network does at a trajectory point. Training figures are means over the steps since the point
/// before (NaN at the first); accuracies are NaN where a task has none.
struct Metrics {
  double train_loss = 0, train_accuracy = 0, validation_loss = 0, validation_accuracy = 0;
  std::vector<double> more{};  ///< the task's more_metrics(), over validation samples
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

/// What a run's file holds.
struct Existing {
  enum class Kind { nothing, unfinished, complete, failed } kind = Kind::nothing;
  std::string reason;       ///< why a failed run failed
  std::string config;       ///< the full resolved configuration it was made with, TOML
  std::string software;     ///< the versions it was made by
  std::int64_t points = 0;  ///< trajectory points
  std::int64_t step = 0;    ///< of the last point
};

/// Whoever watches a run and keeps its trajectory. The training loop calls, for each trajectory point,
/// begin_point, then passes the probe set through the network with sink() in place, then end_point.
class TrainingCallback {
 public:
  virtual ~TrainingCallback() = default;

  /// What an earlier process left of this run; InputError naming the file if it is no run's.
  virtual Existing existing() = 0;
  /// Reads all of a complete run's file: "" if it is sound, otherwise what is wrong with it.
  virtual std::string find_fault() = 0;
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

/// InputError if the file of a run holds another run, or one that this plan cannot go on with.
void require_same_run(const RunPlan& plan, const Existing& found);

using MakeCallback = std::function<std::unique_ptr<TrainingCallback>(const RunPlan&)>;

}  // namespace lrid::train
