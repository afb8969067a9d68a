#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lrid::io {

/// A figure over splits. NaN is written as null.
struct Figure {
  double mean = 0, sem = 0;  ///< s.e.m. over splits (sample sd / √n; 0 for one split)
  std::vector<double> splits;

  static Figure of(std::vector<double> splits);
};

/// Predictions of about the same confidence: their number, the sum of their confidences (the probability of
/// the predicted class), and how many were right.
struct ReliabilityBin {
  double count = 0, confidence = 0, right = 0;
  bool operator==(const ReliabilityBin&) const = default;
};

/// A condition's value: measure "weight", position 0, held_out "KNet5", unit_fraction 0.1, matched true.
using ConditionValue = std::variant<bool, std::int64_t, double, std::string>;

/// One classifier under one condition.
struct ResultRow {
  std::string classifier;
  std::map<std::string, ConditionValue> condition;  ///< keys: formats.md, "results.json"
  Figure accuracy;
  std::vector<std::vector<std::vector<std::int64_t>>> confusion;  ///< [split][actual][predicted]
  std::vector<std::string> labels;                                ///< class names in the order of confusion
  std::vector<std::vector<double>> dprime, balanced_accuracy;     ///< [split][class]
  std::vector<std::map<std::string, ConditionValue>> hyperparameters;  ///< chosen, per split
  std::map<std::string, double> importances;  ///< feature name → mean; empty where a classifier has none
  std::int64_t n_train = 0, n_test = 0, n_networks = 0;
  std::map<std::string, Figure> extra;
  std::vector<ReliabilityBin> reliability;  ///< by confidence, added up over splits. Optional.
};

/// results.json (`format = "lrid-results"`): an experiment's outcome. All but `seconds`, `dataset_path` and
/// `software` repeats exactly for the same data, configuration and seed.
struct Results {
  std::string experiment;
  std::vector<ResultRow> rows;
  std::string dataset_path, dataset_sha256;
  std::string config;  ///< the full resolved configuration, TOML
  std::string software;
  double seconds = 0;
  /// What a reader of the report should know of how it was run ("grid reduced: …"). Optional.
  std::vector<std::string> notes;
  /// Mean trajectories for the report: [rule][T] of each of the most important observables. Optional.
  struct MeanTrajectory {
    std::string observable;
    std::vector<std::string> labels;
    std::vector<std::vector<double>> mean, sem;  ///< [label][T], of the z-scored observable
  };
  std::vector<MeanTrajectory> trajectories;
};

/// InputError naming file and what is wrong.
Results read_results(const std::filesystem::path& path);
void write_results(const std::filesystem::path& path, const Results& results);

}  // namespace lrid::io
