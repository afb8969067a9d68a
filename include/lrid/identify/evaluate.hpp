#pragma once

#include <map>
#include <string>
#include <vector>

#include <lrid/identify/experiment.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

/// How the samples of a test part were judged.
struct TestResult {
  std::vector<int> predicted;             ///< [test rows of the split] class
  std::map<std::string, double> figures;  ///< calibration, verdicts per network, novelty; NaN where undefined
  std::vector<learn::ReliabilityBin> reliability;

  bool operator==(const TestResult&) const = default;
};

/// What one classifier did on one split of one condition.
struct CellResult {
  learn::Setting chosen;                      ///< by the inner folds
  double inner_accuracy = 0;                  ///< its accuracy there
  std::vector<TestResult> tests;              ///< of Condition::tests
  std::map<std::string, double> importances;  ///< FeatureLayout::group_name() → sum over its columns
  std::int64_t computed = 0, coinciding = 0, skipped = 0;  ///< points of the grid, in the first inner fold

  bool operator==(const CellResult&) const = default;
};

/// Nested cross-validation of one of the condition's splits: the inner folds choose a setting, which is
/// fitted to the whole training part and judges the test part. Figures:
/// - `calibration_error`, `log_loss` of the calibrated probabilities;
/// - `network_accuracy`, `network_calibration_error`: of verdicts per network, where splits are by network;
/// - where the condition has unknown samples: `auroc_uncertainty`, `auroc_distance`, `auroc_novelty` (of
/// both), how
///   well they are told from the known test samples, and `known_refused`, `unknown_refused`, the shares
///   refused as none of the classes; the same per network as `network_auroc`, `network_known_refused`,
///   `network_unknown_refused`;
/// - where it asks for permutations: `permuted_` before an observable, a measure or layer_position, by how
///   much the accuracy falls when these features (of an observable: its whole trajectory) change places among
///   the test samples, together, on average (Breiman 2001, "Random forests", §10).
CellResult evaluate(const learn::Classifier& classifier, const Condition& condition, std::size_t split,
                    const Protocol& protocol, Key key);

}  // namespace lrid::identify
