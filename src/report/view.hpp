#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <lrid/report/report.hpp>

namespace lrid::report {

using Row = io::ResultRow;
using RowRefs = std::vector<const Row*>;

/// Condition values as text: "0.1", "weight", "true"; nothing where the condition lacks the key.
std::string text_of(const io::ConditionValue& value);
std::optional<std::string> condition(const Row& row, const std::string& key);
/// As a number where it is one.
std::optional<double> numeric_condition(const Row& row, const std::string& key);
/// "measure weight, split network".
std::string describe_condition(const Row& row);

/// Names as shown: "random forest" for "forest", "activations" for "activation"; others as they are.
std::string classifier_title(const std::string& name);
std::string measure_title(const std::string& name);
std::string split_title(const std::string& name);
std::string position_title(const std::string& value);
std::string control_title(const std::string& name);

/// 1 / number of classes; NaN without classes.
double chance(const Row& row);
/// Mean and s.e.m. of the finite ones among `values`; NaN if there is none.
io::Figure summarise(std::vector<double> values);
/// Of entry `index` of every split's vector, e.g. one class's d′.
io::Figure summarise(const std::vector<std::vector<double>>& splits, std::size_t index);

/// Name under which a row's `extra` holds the accuracy of the test samples at a layer position ("0", "1",
/// "2").
inline constexpr std::string_view permuted_prefix = "permuted_";  ///< of accuracy lost, in `extra`
std::string position_accuracy_name(const std::string& position);

/// The values of a condition key (or of the classifier, key "classifier") among rows, in order of appearance.
std::vector<std::string> values_of(const RowRefs& rows, const std::string& key);
RowRefs rows_where(const RowRefs& rows, const std::string& key, const std::string& value);
RowRefs rows_where(const RowRefs& rows, const std::function<bool(const Row&)>& accept);

/// The row with the highest, the lowest finite accuracy; the first of equals, nullptr without one.
const Row* highest(const RowRefs& rows);
const Row* lowest(const RowRefs& rows);
/// "weights": what a row's features measure.
std::string measure_of(const Row& row);
/// The rows' chance level where they all have the same, NaN otherwise.
double common_chance(const RowRefs& rows);

/// The rows of one source, sorted by what they are about.
class View {
 public:
  /// `source` is one of `all`.
  View(const Source& source, const std::vector<Source>& all);

  [[nodiscard]] const io::Results& results() const { return source_->results; }
  /// Every row.
  [[nodiscard]] const RowRefs& rows() const { return rows_; }
  /// Rows whose condition says nothing but measure and split: the plain experiment.
  [[nodiscard]] const RowRefs& plain() const { return plain_; }
  /// Of the plain rows under the strict split those of the main measure: one for each classifier.
  [[nodiscard]] RowRefs main_rows() const;
  /// The plain rows under the stricter kind of split that there is: grouped by network rather than by sample.
  [[nodiscard]] RowRefs plain_strict() const;
  /// Rows that have a condition key besides measure and split. Of several kinds of split, the strict one.
  [[nodiscard]] RowRefs with_key(const std::string& key) const;
  /// "network", "sample", or "" where no row says.
  [[nodiscard]] const std::string& strict_split() const { return strict_split_; }
  /// The measure that stands for the whole: "all", else the first; "" where no row says.
  [[nodiscard]] const std::string& main_measure() const { return main_measure_; }
  /// The plain row of any source on the same data with this row's classifier and measure; of this row's kind
  /// of split if there is one, else of the stricter kind.
  [[nodiscard]] const Row* reference(const Row& row) const;
  /// Mean trajectories, but for those that an earlier source on the same data has already.
  [[nodiscard]] const std::vector<const io::Results::MeanTrajectory*>& trajectories() const {
    return trajectories_;
  }
  /// The plain row with the highest accuracy under the strict split; nullptr without a finite one.
  [[nodiscard]] const Row* best() const;

 private:
  const Source* source_;
  RowRefs rows_, plain_, plain_everywhere_;
  std::vector<const io::Results::MeanTrajectory*> trajectories_;
  std::string strict_split_, main_measure_;
};

/// Whether a's accuracy is above b (or chance) by more than two standard errors.
bool clearly_above(const io::Figure& a, double value);
bool clearly_above(const io::Figure& a, const io::Figure& b);

}  // namespace lrid::report
