#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>
#include <lrid/learn/metrics.hpp>

#include "study.hpp"

namespace lrid::identify {

/// How typical samples, and the networks that they are of, are of the training part (Judgement).
struct Typicality {
  std::vector<double> samples, networks;  ///< networks by first appearance among the samples

  bool operator==(const Typicality&) const = default;
};

/// Predictions on a test part and the figures computed from them.
struct TestResult {
  std::vector<int> predicted;             ///< [test rows of the split] class
  std::vector<int> network_predicted;     ///< [networks, by first appearance there]; empty without verdicts
  std::vector<int> held, network_held;    ///< likewise: 1 where the set holds the class, else 0
  Typicality known, unknown;              ///< of the test rows and the condition's unknown ones; may be empty
  std::map<std::string, double> figures;  ///< by io::extra_name; NaN where undefined
  std::vector<learn::ReliabilityBin> reliability;

  bool operator==(const TestResult&) const = default;
};

/// The result of a cell: one classifier on one split of one condition.
struct CellResult {
  learn::Setting chosen;                      ///< selected by the inner folds
  double inner_accuracy = 0;                  ///< its mean accuracy over the inner folds
  std::vector<TestResult> tests;              ///< one for each of Condition::tests
  std::map<std::string, double> importances;  ///< FeatureLayout::group_name() → sum over its columns
  std::int64_t computed = 0, coinciding = 0, skipped = 0;  ///< grid points, in the first inner fold

  bool operator==(const CellResult&) const = default;
};

/// Whether a sample or network of this typicality is refused where a fraction `refuse` of the known ones may
/// be.
bool is_refused(double typicality, double refuse);

/// How well low typicality separates unknown samples from known ones: P(unknown < known) + P(equal)/2.
double auroc_of_typicality(const std::vector<double>& known, const std::vector<double>& unknown);

/// Runs nested cross-validation on one split of a condition: the inner folds select a setting, unless one is
/// given, which is fitted to the whole training part and predicts the test part. Figures (io::extra_name):
/// - `calibration_error` and `log_loss` of the calibrated probabilities, `coverage` and `set_size` of the
/// sets
///   (how often they hold the class, and how many they hold), by the calibration for the networks' kinds;
/// - likewise `network_coverage`, `network_set_size`, and `network_accuracy` and `network_calibration_error`
/// of the verdicts per network, for splits by network; where they test networks of new kinds also
///   `network_refused`, the fraction of these that are untypical even of kinds left out;
/// - if the condition has unknown samples, `auroc_uncertainty`, `auroc_distance` and `auroc_novelty` (by
///   typicality): how well they separate from the known test samples; `known_refused` and `unknown_refused`:
///   the fraction refused as none of the classes; and per network `network_auroc`, `network_known_refused`,
///   `network_unknown_refused`;
/// - if it asks for permutations, `permuted_` and an observable, a measure or layer_position: the mean loss
///   of accuracy when these features (the whole trajectory of an observable) are permuted jointly among the
///   test samples (Breiman 2001, "Random forests", §10).
/// Throws InputError if the data admit no point of the grid, and Interrupted.
CellResult evaluate(const learn::Classifier& classifier, const Condition& condition, std::size_t split,
                    const Protocol& protocol, Key key, const std::optional<learn::Setting>& setting = {});

}  // namespace lrid::identify
