#include "view.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <lrid/core/text.hpp>

namespace lrid::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool is_plain(const Row& row) {
  return std::ranges::all_of(
      row.condition, [](const auto& entry) { return entry.first == "measure" || entry.first == "split"; });
}

std::string title(const std::string& name,
                  std::initializer_list<std::pair<const char*, const char*>> titles) {
  for (const auto& [known, shown] : titles)
    if (name == known) return shown;
  return name;
}

RowRefs refer(const io::Results& results) {
  RowRefs rows;
  for (const Row& row : results.rows) rows.push_back(&row);
  return rows;
}

RowRefs strictest(const RowRefs& rows, const std::string& split) {
  if (split.empty()) return rows;
  return rows_where(rows, "split", split);
}

std::string strict_split_of(const RowRefs& rows) {
  const std::vector<std::string> splits = values_of(rows, "split");
  if (splits.empty()) return "";
  return std::ranges::find(splits, "network") != splits.end() ? "network" : splits.front();
}

}  // namespace

std::string text_of(const io::ConditionValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const double* real = std::get_if<double>(&value)) return fmt::format("{:.6g}", *real);
  return std::get<std::string>(value);
}

std::optional<std::string> condition(const Row& row, const std::string& key) {
  const auto found = row.condition.find(key);
  if (found == row.condition.end()) return std::nullopt;
  return text_of(found->second);
}

std::optional<double> numeric_condition(const Row& row, const std::string& key) {
  const auto found = row.condition.find(key);
  if (found == row.condition.end()) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(&found->second)) return static_cast<double>(*integer);
  if (const double* real = std::get_if<double>(&found->second)) return *real;
  return std::nullopt;
}

std::string describe_condition(const Row& row) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : row.condition) {
    std::string shown = text_of(value);
    if (key == "position") shown = position_title(shown);
    parts.push_back(key + " " + shown);
  }
  return join(parts, ", ");
}

std::string classifier_title(const std::string& name) {
  return title(name, {{"svm", "linear SVM"},
                      {"forest", "random forest"},
                      {"mlp", "Conv1D MLP"},
                      {"knn", "nearest neighbours"},
                      {"logistic", "logistic regression"}});
}

std::string measure_title(const std::string& name) {
  return title(name, {{"all", "all measures"},
                      {"weight", "weights"},
                      {"activation", "activations"},
                      {"layer_change", "layer-wise change"},
                      {"final_accuracy", "final accuracy"}});
}

std::string split_title(const std::string& name) {
  return title(name, {{"network", "grouped by network"}, {"sample", "by sample"}});
}

std::string position_title(const std::string& value) {
  return title(value, {{"0", "early"}, {"1", "middle"}, {"2", "deep"}});
}

std::string control_title(const std::string& name) {
  return title(name, {{"final_accuracy", "final accuracy alone"},
                      {"unit_norm", "shapes alone (unit norm)"},
                      {"unit_range", "shapes alone (own range)"},
                      {"shuffled_labels", "shuffled labels"}});
}

std::string position_accuracy_name(const std::string& position) {
  return "accuracy_" + position_title(position);
}

double chance(const Row& row) {
  return row.labels.empty() ? nan : 1.0 / static_cast<double>(row.labels.size());
}

io::Figure summarise(std::vector<double> values) {
  io::Figure figure;
  figure.splits = values;
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  figure.mean = values.empty() ? nan : sum / n;
  for (const double value : values) squares += (value - figure.mean) * (value - figure.mean);
  figure.sem = values.size() < 2 ? 0 : std::sqrt(squares / (n - 1) / n);
  return figure;
}

io::Figure summarise(const std::vector<std::vector<double>>& splits, std::size_t index) {
  std::vector<double> values;
  for (const std::vector<double>& split : splits)
    if (index < split.size()) values.push_back(split[index]);
  return summarise(std::move(values));
}

std::vector<std::string> values_of(const RowRefs& rows, const std::string& key) {
  std::vector<std::string> values;
  for (const Row* row : rows) {
    const std::optional<std::string> value = key == "classifier" ? row->classifier : condition(*row, key);
    if (value && std::ranges::find(values, *value) == values.end()) values.push_back(*value);
  }
  return values;
}

RowRefs rows_where(const RowRefs& rows, const std::function<bool(const Row&)>& accept) {
  RowRefs chosen;
  std::ranges::copy_if(rows, std::back_inserter(chosen), [&](const Row* row) { return accept(*row); });
  return chosen;
}

RowRefs rows_where(const RowRefs& rows, const std::string& key, const std::string& value) {
  return rows_where(rows, [&](const Row& row) {
    return key == "classifier" ? row.classifier == value : condition(row, key).value_or("") == value;
  });
}

const Row* highest(const RowRefs& rows) {
  const Row* best = nullptr;
  for (const Row* row : rows)
    if (std::isfinite(row->accuracy.mean) && (best == nullptr || row->accuracy.mean > best->accuracy.mean))
      best = row;
  return best;
}

const Row* lowest(const RowRefs& rows) {
  const Row* worst = nullptr;
  for (const Row* row : rows)
    if (std::isfinite(row->accuracy.mean) && (worst == nullptr || row->accuracy.mean < worst->accuracy.mean))
      worst = row;
  return worst;
}

std::string measure_of(const Row& row) {
  return measure_title(condition(row, "measure").value_or("all"));
}

double common_chance(const RowRefs& rows) {
  const double first = rows.empty() ? nan : chance(*rows.front());
  return std::ranges::all_of(rows, [&](const Row* row) { return chance(*row) == first; }) ? first : nan;
}

View::View(const Source& source, const std::vector<Source>& all)
    : source_(&source), rows_(refer(source.results)) {
  plain_ = rows_where(rows_, is_plain);
  strict_split_ = strict_split_of(plain_.empty() ? rows_ : plain_);
  const std::vector<std::string> measures = values_of(plain_.empty() ? rows_ : plain_, "measure");
  if (!measures.empty())
    main_measure_ = std::ranges::find(measures, "all") != measures.end() ? "all" : measures.front();
  for (const io::Results::MeanTrajectory& trajectory : source.results.trajectories) {
    bool shown = false;
    for (const Source* other = all.data(); other != &source; ++other)
      shown |= other->results.dataset_sha256 == source.results.dataset_sha256 &&
               std::ranges::any_of(other->results.trajectories,
                                   [&](const auto& one) { return one.observable == trajectory.observable; });
    if (!shown) trajectories_.push_back(&trajectory);
  }
  for (const Source& other : all) {
    if (other.results.dataset_sha256 != source.results.dataset_sha256) continue;
    const RowRefs plain = rows_where(refer(other.results), is_plain);
    plain_everywhere_.insert(plain_everywhere_.end(), plain.begin(), plain.end());
  }
}

RowRefs View::main_rows() const {
  const RowRefs rows = plain_strict();
  return main_measure_.empty() ? rows : rows_where(rows, "measure", main_measure_);
}

RowRefs View::plain_strict() const {
  return strictest(plain_, strict_split_);
}

RowRefs View::with_key(const std::string& key) const {
  const RowRefs rows = rows_where(rows_, [&](const Row& row) { return row.condition.contains(key); });
  return strictest(rows, strict_split_of(rows));
}

const Row* View::reference(const Row& row) const {
  const RowRefs alike = rows_where(plain_everywhere_, [&](const Row& other) {
    return other.classifier == row.classifier &&
           condition(other, "measure").value_or("all") == condition(row, "measure").value_or("all");
  });
  RowRefs same_split;
  if (const auto split = condition(row, "split")) same_split = rows_where(alike, "split", *split);
  if (same_split.empty()) same_split = strictest(alike, strict_split_of(alike));
  return same_split.empty() ? nullptr : same_split.front();
}

const Row* View::best() const {
  return highest(plain_strict());
}

bool clearly_above(const io::Figure& a, double value) {
  const double error = std::isfinite(a.sem) ? a.sem : 0;
  return a.mean - 2 * error > value;
}

bool clearly_above(const io::Figure& a, const io::Figure& b) {
  const double error = std::hypot(std::isfinite(a.sem) ? a.sem : 0, std::isfinite(b.sem) ? b.sem : 0);
  return a.mean - b.mean > 2 * error;
}

}  // namespace lrid::report
