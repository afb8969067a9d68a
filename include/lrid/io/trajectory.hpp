#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lrid::io {

/// A parameter or buffer of a network at a trajectory point.
struct CheckpointTensor {
  std::int64_t point;               ///< 0 … T−1
  std::string name;                 ///< "conv1/weight"
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::vector<float> data;          ///< row-major
};

/// One trained network as it was observed (`format = "lrid-trajectory"`). T is the number of points measured
/// so far, L the number of observed layers, K the number of observables, C the number of imperfect
/// measurements.
struct Trajectory {
  std::string architecture, task, dataset, learning_rule;
  std::int64_t batch_size = 0;
  std::int64_t model_seed = 0, dataset_seed = 0;              ///< the numbers really used
  bool model_seed_drawn = false, dataset_seed_drawn = false;  ///< the setting was "none"
  double epochs = 0;                                          ///< may be a fraction
  std::string status = "running";                             ///< "complete", "running" or "failed: why"
  std::string config;                                         ///< the full resolved configuration, TOML
  std::string software;         ///< versions; empty: lrid's own is filled in when writing
  std::int64_t probe_size = 0;  ///< stimuli
  std::string probe_checksum;
  std::string layer_change_kernel = "forward";  ///< or "as-study"

  std::vector<std::string> observable_names;  ///< [K]; empty: ours, filled in when writing
  std::vector<std::string> layers;            ///< [L]
  std::vector<std::uint8_t> layer_position;   ///< [L] 0 early, 1 middle, 2 deep
  std::vector<std::int64_t> step;             ///< [T]
  std::vector<double> epoch;                  ///< [T]
  std::vector<float> observables;             ///< [T, L, K]

  /// `train_loss`, `train_accuracy`, `validation_loss`, `validation_accuracy`, and what a task adds; each
  /// [T].
  std::map<std::string, std::vector<double>> metrics;

  /// Angles and norm ratio of backward and forward kernels; rules with a backward kernel only. Each [T, L].
  struct Alignment {
    std::vector<float> weight_angle, error_angle, norm_ratio;  ///< angles in degrees; ‖B‖/‖W‖
  };
  std::optional<Alignment> alignment;

  /// The same statistics measured imperfectly, on a grid of unit numbers and noise.
  struct Imperfect {
    std::vector<double> unit_fraction, noise;  ///< [C]; the fraction is NaN where `units` counts
    std::vector<std::int64_t> units{};    ///< [C] absolute numbers, 0 where the fraction counts; empty: all 0
    std::string noise_unit = "absolute";  ///< or "relative", to each layer's standard deviation
    std::vector<float> observables;       ///< [C, T, L, K]
  };
  std::optional<Imperfect> imperfect;

  std::vector<CheckpointTensor> checkpoints;

  [[nodiscard]] std::int64_t points() const { return static_cast<std::int64_t>(step.size()); }
  [[nodiscard]] bool complete() const { return status == "complete"; }
  [[nodiscard]] bool failed() const { return status.starts_with("failed"); }
};

/// Writes whole or not at all; equal trajectories give equal bytes. WorkError naming file and array if the
/// shapes do not agree.
void write_trajectory(const std::filesystem::path& path, const Trajectory& trajectory);

/// Reads and validates all but the checkpoints, which may be large (`read_checkpoint`). InputError naming the
/// file and what is missing, truncated, of another format, or inconsistent.
Trajectory read_trajectory(const std::filesystem::path& path);

/// The same without what has a value for each layer: attributes, names, steps and epochs. Takes less than a
/// millisecond, whatever the file's size.
Trajectory read_trajectory_header(const std::filesystem::path& path);

/// Checks that the file is what a complete run promises (formats.md): the number of points, steps that
/// ascend, values that are finite where they must be, checkpoints of all points if `checkpoints`. Reads all
/// of it. Returns the first fault, "" if there is none. InputError as read_trajectory.
std::string find_fault(const std::filesystem::path& path, std::int64_t points, bool checkpoints);

/// Points whose checkpoints were kept, ascending.
std::vector<std::int64_t> checkpoint_points(const std::filesystem::path& path);
/// All tensors of one point in order of name; InputError if it was not kept.
std::vector<CheckpointTensor> read_checkpoint(const std::filesystem::path& path, std::int64_t point);

}  // namespace lrid::io
