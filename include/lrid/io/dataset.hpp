#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lrid::io {

/// Labels of each sample (one observed layer of one trained network).
/// All columns have one entry per sample.
struct SampleMeta {
  std::vector<std::string> architecture, task, dataset, learning_rule, layer, network;
  std::vector<std::uint8_t> layer_position;                        ///< 0 early, 1 middle, 2 deep
  std::vector<std::int64_t> batch_size, model_seed, dataset_seed;  ///< −1: the setting was "none"
  std::vector<double> noise, unit_fraction;  ///< imperfect measurement; 0 and 1 when perfect
  std::vector<std::int64_t> units{};  ///< seen units where they were counted (the fraction is NaN), else 0
  std::vector<std::string> noise_unit{};  ///< "absolute", or "relative" to the layer's standard deviation
  std::vector<double> final_accuracy;     ///< of the network; NaN where the task has none
};

/// A dataset file (`format = "lrid-dataset"`): trajectories of statistics with their labels.
struct Dataset {
  std::vector<std::string> observable_names;  ///< [K]
  std::int64_t samples = 0, points = 0;       ///< N, T
  std::vector<float> x;                       ///< [N, T, K], row-major
  SampleMeta meta;
  /// [N, T] validation loss of the sample's network at every point, NaN where it is not known; or empty.
  std::vector<float> validation_loss{};
  std::string software;  ///< of the file that was read; filled in when writing
};

/// Reads and validates a dataset. InputError naming the file for anything that is missing, truncated, of
/// another format, or inconsistent in shape. Columns that a foreign writer left out (`final_accuracy`,
/// `noise`, `unit_fraction`) read as NaN, 0, 1.
Dataset read_dataset(const std::filesystem::path& path);

/// Appends the samples of another dataset, which must have as many points and the same observables.
void append(Dataset& dataset, const Dataset& other);

/// Writes whole or not at all; equal datasets give equal bytes.
void write_dataset(const std::filesystem::path& path, const Dataset& dataset);

}  // namespace lrid::io
