#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <lrid/io/trajectory.hpp>
#include <lrid/nn/network.hpp>
#include <lrid/observe/network_observer.hpp>
#include <lrid/observe/observer_options.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::observe {

/// Attributes of a trajectory file that are known from the start.
struct TrajectoryHeader {
  std::string architecture, task, learning_rule;
  std::int64_t batch_size = 0, model_seed = 0, dataset_seed = 0;
  bool model_seed_drawn = false, dataset_seed_drawn = false;
  double epochs = 0;
  std::string config;  ///< full resolved configuration, TOML
};

/// Names a network and a point of its trajectory: what the noise of imperfect measurements is drawn from, so
/// that it is the same whether a measurement is measured along training or afterwards.
Key measurement_key(const io::Trajectory& network, std::uint64_t seed, std::int64_t point);
/// Names the network alone: what its subsets of units are drawn from where they are its own. Never 0.
std::uint64_t network_hash(const io::Trajectory& network);

/// Adds a measurement of the grid, without values.
void declare_measurement(io::Trajectory::Imperfect& imperfect, const stats::Imperfection& measurement);

/// Appends one point: measurement 0 of the observer to `observables`, the others to `imperfect`. [.., L, 45]
void append_point(io::Trajectory& trajectory, const NetworkObserver& observer);

/// Keeps the trajectory of one network and writes its file (formats.md, "Trajectory file"), whole each time.
class TrajectoryRecorder {
 public:
  TrajectoryRecorder(std::filesystem::path path, TrajectoryHeader header, ObserverOptions options);

  /// Contents of the file, nothing if there is none. InputError if it is no trajectory file.
  struct Recorded {
    bool complete = false;
    std::string failure;  ///< why, of a failed run
    std::string config, software;
    std::int64_t points = 0, step = 0;  ///< measured, and the step of the last one
  };
  [[nodiscard]] std::optional<Recorded> recorded() const;

  /// Takes up the file's first `points` rows; false if it does not have them.
  bool restore(std::int64_t points);

  void start(nn::Network& network, const rules::LearningRule& rule, const tasks::Task& task);
  /// Weights, S, and the alignment of rules with backward kernels (on the batch that `next_batch` makes).
  void begin_point(nn::Network& network, rules::LearningRule& rule, const tasks::Task& task,
                   const std::function<tasks::Batch()>& next_batch);
  [[nodiscard]] nn::LayerSink sink() { return observer_->sink(); }
  /// Adds the row. `keep`: a network whose parameters and buffers are to be kept as a checkpoint, or null.
  void end_point(std::int64_t step, double epoch, const std::map<std::string, double>& metrics,
                 const nn::Network* keep);
  void save();
  /// Writes the final file: "complete", or "failed: `failure`".
  void finish(const std::string& failure);

 private:
  /// A point that was begun but not ended leaves no half row.
  void drop_unfinished_point();

  std::filesystem::path path_;
  ObserverOptions options_;
  io::Trajectory trajectory_;
  std::unique_ptr<NetworkObserver> observer_;
};

}  // namespace lrid::observe
