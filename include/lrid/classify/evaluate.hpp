#pragma once

#include <map>
#include <string>
#include <vector>

#include <lrid/classify/classifier.hpp>
#include <lrid/classify/experiment.hpp>

namespace lrid::classify {

/// What one classifier did on one split of one condition.
struct CellResult {
  Setting chosen;              ///< best mean accuracy over the inner folds; the first of equals
  double inner_accuracy = 0;   ///< that accuracy
  std::vector<int> predicted;  ///< [test rows of the split] class
  std::map<std::string, double> importances;               ///< Layout::group_name() → sum over its columns
  std::int64_t computed = 0, coinciding = 0, skipped = 0;  ///< points of the grid, in the first inner fold

  bool operator==(const CellResult&) const = default;
};

/// Nested cross-validation: the inner folds choose a setting, which is fitted to the whole training part and
/// predicts the test part. A scaler is fitted inside each fold. Inner folds run in parallel.
/// InputError if the data admits no setting of the grid; Interrupted between folds.
CellResult evaluate(const Classifier& classifier, const Condition& condition, const Split& split, Key key);

}  // namespace lrid::classify
