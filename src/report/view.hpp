#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::report {

namespace key = io::condition_key;
using Row = io::ResultRow;
using RowRefs = std::vector<const Row*>;
using Figure = io::Figure;

/// A condition's value as text: "0.1", "weight", "true".
std::string text_of(const io::ConditionValue& value);
/// The value of a row's condition as text; nothing where the condition lacks the key.
std::optional<std::string> condition(const Row& row, const std::string& key);
/// The same as a number; nothing where it is none.
std::optional<double> numeric_condition(const Row& row, const std::string& key);
/// "measure weights, split by network".
std::string describe_condition(const Row& row);

/// 1 / number of classes; NaN without classes.
double chance(const Row& row);
/// The rows' chance level if they share one, else NaN.
double common_chance(const RowRefs& rows);
/// "weights": what a row's features measure.
std::string measure_of(const Row& row);

/// Mean and s.e.m. of the finite values; NaN without any.
Figure summarise(std::vector<double> values);
/// The same for entry `index` of every split's vector, such as one class's d′.
Figure summarise(const std::vector<std::vector<double>>& splits, std::size_t index);
/// The figure of that name among a row's `extra`; nothing without a finite mean.
std::optional<Figure> extra(const Row& row, const std::string& name);

/// Where a figure's value may lie: its 95 % interval over networks if the results have one, else one standard
/// deviation over the splits to either side. Nothing for fewer than two splits without an interval.
struct Range {
  double low, high;
};
std::optional<Range> range_of(const Figure& figure);
/// Standard deviation of the finite values over the splits; NaN for fewer than two.
double spread_over_splits(const Figure& figure);

/// How a figure compares with a level or with another figure.
enum class Comparison { above, below, undecided };
/// By the 95 % interval over networks. Results of earlier versions have none: by two standard deviations over
/// the splits, which is a rule of thumb and no test; single splits are compared as they are.
Comparison compare(const Figure& figure, double level);
/// By the difference, its half-widths added in quadrature: for figures of different networks, and cautious
/// for those of the same. `widened` by a factor where several are compared.
Comparison compare(const Figure& a, const Figure& b, double widened = 1);
/// The rows' accuracies against their chance levels, tested together: by Holm's method.
std::vector<Comparison> against_chance(const RowRefs& rows);

/// Whether the accuracy of `a` is above that of `b`.
struct RowPair {
  const Row *a, *b;
};
/// Pairs of rows, tested together: paired over the networks that both test, p-values corrected by Holm's
/// method. Without networks as figures are compared.
std::vector<Comparison> compare(const std::vector<RowPair>& pairs);
/// Whether the highest of the rows is above the lowest, tested together with all other pairs of them.
Comparison compare_extremes(const RowRefs& rows);

/// The values of a condition key (or, for "classifier", the classifiers) among rows, in order of appearance.
std::vector<std::string> values_of(const RowRefs& rows, const std::string& key);
/// The rows whose condition (or classifier) has this value.
RowRefs rows_where(const RowRefs& rows, const std::string& key, const std::string& value);
RowRefs rows_where(const RowRefs& rows, const std::function<bool(const Row&)>& accept);
/// The rows with a finite accuracy.
RowRefs with_accuracy(const RowRefs& rows);
/// The rows with the highest and the lowest finite accuracy; the first of equals, nullptr without any.
const Row* highest(const RowRefs& rows);
const Row* lowest(const RowRefs& rows);

/// The rows of one classifier and, where there are several, one measure.
struct Group {
  std::string heading;  ///< "Random forest, weights"
  RowRefs rows;         ///< at least one
};
std::vector<Group> by_classifier_and_measure(const RowRefs& rows);

/// The classifier that headlines speak of, fixed before any result is seen so that it is not picked by its
/// test accuracy: the first of random forest, Conv1D MLP, linear SVM, logistic regression and nearest
/// neighbours that the rows have, else the first to appear. "" without rows.
std::string headline_classifier(const RowRefs& rows);
/// The rows of the headline classifier.
RowRefs headline_rows(const RowRefs& rows);

/// The rows of one results file, sorted by what they are about.
class View {
 public:
  /// `source` is one of `all`; both must outlive the view.
  View(const io::NamedResults& source, const std::vector<io::NamedResults>& all);

  [[nodiscard]] const std::string& name() const { return source_->name; }
  [[nodiscard]] const io::Results& results() const { return source_->results; }
  /// Every row.
  [[nodiscard]] const RowRefs& rows() const { return rows_; }
  /// The plain experiment: rows whose condition has no key but measure and split.
  [[nodiscard]] const RowRefs& plain() const { return plain_; }
  /// The plain rows of the strictest split: by network if there is one, else by layer.
  [[nodiscard]] RowRefs plain_strict() const;
  /// Of these, the rows of the main measure: one for each classifier.
  [[nodiscard]] RowRefs main_rows() const;
  /// The main row of the headline classifier; nullptr without a finite accuracy.
  [[nodiscard]] const Row* headline() const;
  /// The rows with this condition key, of the strictest split among them.
  [[nodiscard]] RowRefs with_key(const std::string& key) const;
  /// "network", "sample", or "" where no row says.
  [[nodiscard]] const std::string& strict_split() const { return strict_split_; }
  /// The measure that stands for the whole: "all", else the first; "" where no row says.
  [[nodiscard]] const std::string& main_measure() const { return main_measure_; }
  /// The plain row, in any results on the same data, of this row's classifier and measure and, if possible,
  /// split; nullptr without one.
  [[nodiscard]] const Row* reference(const Row& row) const;
  /// Mean trajectories, but for those that earlier results on the same data have as well.
  [[nodiscard]] const std::vector<const io::Results::MeanTrajectory*>& trajectories() const {
    return trajectories_;
  }
  /// A key of the experiment's configuration as text; nothing if it is not set or the configuration can't be
  /// read.
  [[nodiscard]] std::optional<std::string> configured(const std::string& key) const;
  /// What is identified: "learning rule", "architecture".
  [[nodiscard]] std::string target() const;
  /// All classes, in order of appearance.
  [[nodiscard]] std::vector<std::string> classes() const;

 private:
  const io::NamedResults* source_;
  RowRefs rows_, plain_, plain_everywhere_;
  std::vector<const io::Results::MeanTrajectory*> trajectories_;
  std::string strict_split_, main_measure_;
};

}  // namespace lrid::report
