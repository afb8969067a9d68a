#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <lrid/nn/network.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/device_graph.hpp>
#include <lrid/train/device_time.hpp>
#include <lrid/train/lease.hpp>
#include <lrid/train/own_stream.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/step_replay.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::train {

/// One network on its way from initial values to the end of its run. It does not know whether others are
/// trained beside it: its bits depend on its plan and on the batches alone.
///
/// State that a resume needs (parameters, buffers, what the rule keeps, step number, running sums) goes to
/// `<out>.state`, always after the callback's file, and is removed at the end. Nothing is written unless the
/// run's lease is ours: every function that writes throws LeaseLost if it is not.
class NetworkRun {
 public:
  /// Builds network and rule, and goes on from `<out>.state` if there is one. InputError where the
  /// architecture and the task's data do not fit, or a state belongs to another configuration.
  /// `graphs` says what a device records steps with; `lease` may be null where no other process can want the
  /// run (benchmarks).
  NetworkRun(const RunPlan& plan, std::shared_ptr<const tasks::Task> task,
             std::unique_ptr<TrainingCallback> callback, std::unique_ptr<Lease> lease, bool report_epochs,
             const DeviceGraphs& graphs = device_graphs);
  ~NetworkRun();
  NetworkRun(const NetworkRun&) = delete;
  NetworkRun& operator=(const NetworkRun&) = delete;

  [[nodiscard]] const RunPlan& plan() const { return plan_; }
  [[nodiscard]] std::int64_t step() const { return step_; }    ///< steps made
  [[nodiscard]] std::int64_t steps() const { return steps_; }  ///< of the whole run
  [[nodiscard]] bool resumed() const { return resumed_; }      ///< from a state that was there
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }  ///< empty unless it failed

  /// Takes the trajectory point that is due at this step, if one is. The last one finishes the run.
  void take_point_if_due(const std::function<tasks::Batch()>& next_batch);
  /// One training step on a batch that the current stream has made. Does not wait for the device, but at ends
  /// of epochs, and when it is some steps behind.
  void train(const tasks::Batch& batch);
  /// Writes trajectory and state, for another process (or this one) to go on from.
  void stop();
  /// Ends the run as failed. What was measured stays, and a state that was written, for another attempt.
  void fail(const std::string& reason);
  /// From now on a second counts as so much time of the device (DeviceTime).
  void set_share(double device_seconds_per_second);
  [[nodiscard]] const nn::Network& network() const { return *network_; }
  [[nodiscard]] const Metrics& last_metrics() const { return last_metrics_; }
  /// By all processes that have trained it, as of the last write.
  [[nodiscard]] const DeviceTime& used() const { return used_; }

 private:
  /// Sums on the device, read where they are reported.
  struct Sums {
    nn::Tensor values;  ///< float64 [2]: loss, correct samples
    std::int64_t steps = 0;
  };

  bool restore();
  [[nodiscard]] Metrics evaluate(bool at_point);
  /// What the step to come needs to know, which measurements before it see too: rates and random numbers.
  void begin_step();
  /// The device's part of a step, as it can be recorded.
  void device_step(const tasks::Batch& batch);
  void require_lease() const;
  void report_progress() const;
  void count_time();
  void save();
  void diverge(const std::string& reason);
  void finish(const std::string& failure);
  void report_epoch();
  /// All tensors that change during a run.
  [[nodiscard]] std::vector<nn::NamedTensor> live_tensors();

  const RunPlan& plan_;
  std::shared_ptr<const tasks::Task> task_;
  std::unique_ptr<TrainingCallback> callback_;
  std::unique_ptr<Lease> lease_;
  torch::Device device_;
  OwnStream stream_;
  std::unique_ptr<nn::Network> network_;
  std::unique_ptr<rules::LearningRule> rule_;
  StepReplay replay_;
  std::int64_t steps_per_epoch_ = 0, steps_ = 0, step_ = 0, points_taken_ = 0;
  Sums since_point_, since_epoch_;
  Metrics last_metrics_;
  bool report_epochs_ = false, resumed_ = false, finished_ = false;
  bool descends_task_ = true;  // in the step that was begun
  std::string failure_;
  DeviceTime used_;       ///< by all processes that have trained it
  RunProgress progress_;  ///< of this one
  double share_ = 0;
  std::chrono::steady_clock::time_point last_save_, last_count_;
};

}  // namespace lrid::train
