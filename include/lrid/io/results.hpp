#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lrid::io {

/// A figure over splits. NaN is written as null.
struct Figure {
  double mean = 0, sem = 0;  ///< s.e.m. over splits (sample sd / √n; 0 for one split)
  std::vector<double> splits;
  std::optional<std::array<double, 2>> interval{};  ///< 95 % interval over networks, low and high. Optional.
  std::optional<double> p{};                        ///< p-value against chance, over networks. Optional.

  static Figure of(std::vector<double> splits);
};

/// Keys of a row's `condition`; formats.md, "results.json", says what each one means.
namespace condition_key {
inline constexpr const char *measure = "measure", *split = "split", *position = "position",
                            *held_out = "held_out", *train_points = "train_points",
                            *test_points = "test_points", *unit_fraction = "unit_fraction", *noise = "noise",
                            *matched = "matched", *control = "control", *unknown = "unknown",
                            *train_networks = "train_networks", *train_on = "train_on", *test_on = "test_on",
                            *pair = "pair", *target = "target", *observables = "observables",
                            *question = "question", *matched_by = "matched_by", *transform = "transform",
                            *kind = "kind";
}  // namespace condition_key

/// Values of the condition `split`: the unit that a split draws.
namespace split_name {
inline constexpr const char *sample = "sample", *network = "network";
}  // namespace split_name

/// Values of the condition `measure` besides the measures' own names.
namespace measure_name {
inline constexpr const char *all = "all", *weight = "weight", *activation = "activation",
                            *layer_change = "layer_change", *final_accuracy = "final_accuracy",
                            *loss_curve = "loss_curve";
}  // namespace measure_name

/// Values of the condition `control`.
namespace control_name {
inline constexpr const char *final_accuracy = "final_accuracy", *unit_norm = "unit_norm",
                            *unit_range = "unit_range", *scale_only = "scale_only",
                            *shuffled_labels = "shuffled_labels";
}  // namespace control_name

/// Values of the condition `question`: classes that differ in the optimiser only, or in the assignment of
/// credit only.
namespace question_name {
inline constexpr const char *optimiser = "optimiser", *credit_assignment = "credit_assignment";
}  // namespace question_name

/// Names of a row's `extra` figures. "network_" stands before what is per network rather than per layer.
namespace extra_name {
inline constexpr const char *accuracy_inner_folds = "accuracy_inner_folds", *log_loss = "log_loss",
                            *calibration_error = "calibration_error", *network_accuracy = "network_accuracy",
                            *network_calibration_error = "network_calibration_error", *coverage = "coverage",
                            *set_size = "set_size", *network_coverage = "network_coverage",
                            *network_set_size = "network_set_size", *network_refused = "network_refused",
                            *auroc_uncertainty = "auroc_uncertainty", *auroc_distance = "auroc_distance",
                            *auroc_novelty = "auroc_novelty", *network_auroc = "network_auroc",
                            *known_refused = "known_refused", *unknown_refused = "unknown_refused",
                            *network_known_refused = "network_known_refused",
                            *network_unknown_refused = "network_unknown_refused";
/// Accuracy of the test samples at layer position 0, 1, 2.
inline constexpr std::array accuracy_at_position = {"accuracy_early", "accuracy_middle", "accuracy_deep"};
/// Before an observable, a measure or layer_position: the accuracy lost when it is permuted.
inline constexpr std::string_view permuted = "permuted_";
}  // namespace extra_name

/// Predictions of about the same confidence: their number, the sum of their confidences (the probability of
/// the predicted class), and how many were right.
struct ReliabilityBin {
  double count = 0, confidence = 0, right = 0;
  bool operator==(const ReliabilityBin&) const = default;
};

/// The networks that each split of a row tests. Rows that test the same ones share it, so that they can be
/// compared network by network.
struct TestedNetworks {
  std::vector<std::string> names;  ///< [n] those of all splits
  std::vector<std::int64_t>
      labels;  ///< [n] class, an index into ResultRow::labels; −1 if layers differ in it
  std::vector<std::vector<std::int64_t>> network;  ///< [split][i] which were tested, indices into names
  std::vector<std::vector<std::int64_t>> layers;   ///< [split][i] how many layers of it
  /// Share of the networks that two splits have in common; 1 where all splits test the same ones.
  double overlap = 1;

  bool operator==(const TestedNetworks&) const = default;
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
  /// [class] 95 % intervals of the mean d′ over networks; NaN where there are too few. Optional.
  std::vector<std::array<double, 2>> dprime_intervals{};
  std::vector<std::map<std::string, ConditionValue>> hyperparameters;  ///< chosen, per split
  std::map<std::string, double> importances;  ///< feature name → mean; empty where a classifier has none
  std::int64_t n_train = 0, n_test = 0, n_networks = 0;
  std::map<std::string, Figure> extra;      ///< by extra_name
  std::vector<ReliabilityBin> reliability;  ///< by confidence, added up over splits. Optional.
  /// Observable → importance summed over its features, for each split. Optional.
  std::map<std::string, Figure> observable_importances{};
  std::shared_ptr<const TestedNetworks> tested{};    ///< null in files of an earlier version
  std::vector<std::vector<std::int64_t>> correct{};  ///< [split][i] layers of a tested network that are right
  /// [split][i] 1 if the verdict on the whole network is right, else 0. Empty where there is none.
  std::vector<std::vector<std::int64_t>> network_correct{};
};

/// Two rows compared over the networks that both test.
struct RowComparison {
  std::string about;         ///< "classifier", "measure", "transform", "split", "condition"
  std::size_t a = 0, b = 0;  ///< indices into Results::rows
  double difference = 0;     ///< accuracy of a − accuracy of b
  std::array<double, 2> interval{};
  double p = 1, p_holm = 1;  ///< two-sided; corrected for all comparisons about the same under this split
  std::int64_t networks = 0;
};

/// The observable of a feature: "weightabs_median" of "weightabs_median@3".
std::string observable_of_feature(std::string_view feature);

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
  std::vector<RowComparison> comparisons{};  ///< Optional.
};

/// Results and the name under which a report speaks of them.
struct NamedResults {
  std::string name;
  Results results;
};

/// Reads a results file. Throws InputError naming the file and what is wrong.
Results read_results(const std::filesystem::path& path);
void write_results(const std::filesystem::path& path, const Results& results);

}  // namespace lrid::io
