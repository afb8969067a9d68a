#include "view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/uncertainty.hpp>

#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double decisive = 0.05;  // p-values below decide

bool is_plain(const Row& row) {
  return std::ranges::all_of(row.condition, [](const auto& entry) {
    return entry.first == key::measure || entry.first == key::split;
  });
}

RowRefs refer(const io::Results& results) {
  RowRefs rows;
  for (const Row& row : results.rows) rows.push_back(&row);
  return rows;
}

RowRefs of_split(const RowRefs& rows, const std::string& split) {
  return split.empty() ? rows : rows_where(rows, key::split, split);
}

std::string strictest_split(const RowRefs& rows) {
  const std::vector<std::string> splits = values_of(rows, key::split);
  if (splits.empty()) return "";
  return std::ranges::find(splits, io::split_name::network) != splits.end() ? io::split_name::network
                                                                            : splits.front();
}

std::vector<double> finite(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  return values;
}

/// Half the width of what a comparison takes for chance variation.
double half_width(const Figure& figure) {
  if (figure.interval) return (figure.interval->back() - figure.interval->front()) / 2;
  const double spread = spread_over_splits(figure);
  return std::isfinite(spread) ? 2 * spread : 0;
}

Comparison sign_of(double low, double high) {
  return low > 0 ? Comparison::above : high < 0 ? Comparison::below : Comparison::undecided;
}

std::string condition_value(const std::string& condition_key, const std::string& value) {
  if (condition_key == key::position) return position_title(value);
  if (condition_key == key::measure) return measure_title(value);
  if (condition_key == key::split) return split_title(value);
  if (condition_key == key::control) return control_title(value);
  if (condition_key == key::unknown || condition_key == key::held_out) return class_title(value);
  if (condition_key == key::observables) return observable_group_title(value);
  if (condition_key == key::question) return question_title(value);
  if (condition_key == key::matched_by) return measure_title(value);
  return value;
}

const Row* extreme(const RowRefs& rows, bool (*better)(double, double)) {
  const Row* found = nullptr;
  for (const Row* row : with_accuracy(rows))
    if (found == nullptr || better(row->accuracy.mean, found->accuracy.mean)) found = row;
  return found;
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
  for (const auto& [key, value] : row.condition)
    parts.push_back(condition_title(key) + " " + condition_value(key, text_of(value)));
  return join(parts, ", ");
}

double chance(const Row& row) {
  return row.labels.empty() ? nan : 1.0 / static_cast<double>(row.labels.size());
}

double common_chance(const RowRefs& rows) {
  const double first = rows.empty() ? nan : chance(*rows.front());
  return std::ranges::all_of(rows, [&](const Row* row) { return chance(*row) == first; }) ? first : nan;
}

std::string measure_of(const Row& row) {
  return measure_title(condition(row, key::measure).value_or(io::measure_name::all));
}

Figure summarise(std::vector<double> values) {
  Figure figure = Figure::of(finite(values));
  figure.splits = std::move(values);
  return figure;
}

Figure summarise(const std::vector<std::vector<double>>& splits, std::size_t index) {
  std::vector<double> values;
  for (const std::vector<double>& split : splits)
    if (index < split.size()) values.push_back(split[index]);
  return summarise(std::move(values));
}

std::optional<Figure> extra(const Row& row, const std::string& name) {
  const auto found = row.extra.find(name);
  if (found == row.extra.end() || !std::isfinite(found->second.mean)) return std::nullopt;
  return found->second;
}

double spread_over_splits(const Figure& figure) {
  const std::vector<double> values = finite(figure.splits);
  if (values.size() < 2) return nan;
  return Figure::of(values).sem * std::sqrt(static_cast<double>(values.size()));
}

std::optional<Range> range_of(const Figure& figure) {
  if (figure.interval && std::isfinite(figure.interval->front()) && std::isfinite(figure.interval->back()))
    return Range{figure.interval->front(), figure.interval->back()};
  const double spread = spread_over_splits(figure);
  if (!std::isfinite(spread) || !std::isfinite(figure.mean)) return std::nullopt;
  return Range{figure.mean - spread, figure.mean + spread};
}

Comparison compare(const Figure& figure, double level) {
  if (figure.interval) return sign_of(figure.interval->front() - level, figure.interval->back() - level);
  const double width = half_width(figure);
  return sign_of(figure.mean - width - level, figure.mean + width - level);
}

Comparison compare(const Figure& a, const Figure& b, double widened) {
  const double difference = a.mean - b.mean, width = widened * std::hypot(half_width(a), half_width(b));
  return sign_of(difference - width, difference + width);
}

std::vector<Comparison> against_chance(const RowRefs& rows) {
  std::vector<double> p;  // two-sided
  for (const Row* row : rows) {
    const double above = row->accuracy.p.value_or(1);
    p.push_back(2 * std::min(above, 1 - above));
  }
  p = identify::holm(p);
  std::vector<Comparison> result;
  for (std::size_t i = 0; i < rows.size(); ++i)
    result.push_back(rows[i]->accuracy.p && p[i] >= decisive ? Comparison::undecided
                                                             : compare(rows[i]->accuracy, chance(*rows[i])));
  return result;
}

std::vector<Comparison> compare(const std::vector<RowPair>& pairs) {
  std::vector<Comparison> result;
  std::vector<std::size_t> tested;  // pairs with a test
  std::vector<double> p;
  for (const RowPair& pair : pairs) {
    const auto a = identify::layer_scores(*pair.a), b = identify::layer_scores(*pair.b);
    result.push_back(compare(pair.a->accuracy, pair.b->accuracy));
    if (!a || !b) continue;
    if (const auto found = identify::difference(*a, *b)) {
      result.back() = sign_of(found->mean, found->mean);
      tested.push_back(result.size() - 1);
      p.push_back(found->p);
    }
  }
  p = identify::holm(p);
  for (std::size_t i = 0; i < tested.size(); ++i)
    if (p[i] >= decisive) result[tested[i]] = Comparison::undecided;
  return result;
}

Comparison compare_extremes(const RowRefs& rows) {
  const Row *most = highest(rows), *least = lowest(rows);
  if (most == nullptr || most == least) return Comparison::undecided;
  std::vector<RowPair> pairs = {{most, least}};
  const RowRefs all = with_accuracy(rows);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = i + 1; j < all.size(); ++j)
      if (!((all[i] == most && all[j] == least) || (all[i] == least && all[j] == most)))
        pairs.push_back({all[i], all[j]});
  return compare(pairs).front();
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

RowRefs with_accuracy(const RowRefs& rows) {
  return rows_where(rows, [](const Row& row) { return std::isfinite(row.accuracy.mean); });
}

const Row* highest(const RowRefs& rows) {
  return extreme(rows, [](double a, double b) { return a > b; });
}

const Row* lowest(const RowRefs& rows) {
  return extreme(rows, [](double a, double b) { return a < b; });
}

std::vector<Group> by_classifier_and_measure(const RowRefs& rows) {
  std::vector<std::string> measures = values_of(rows, key::measure);
  const bool several = measures.size() > 1;
  if (measures.empty()) measures.emplace_back();
  std::vector<Group> groups;
  for (const std::string& classifier : values_of(rows, "classifier"))
    for (const std::string& measure : measures) {
      RowRefs own = rows_where(rows_where(rows, "classifier", classifier), key::measure, measure);
      if (own.empty()) continue;
      groups.push_back({sentence(classifier_title(classifier)), std::move(own)});
      if (several) groups.back().heading += ", " + measure_title(measure);
    }
  return groups;
}

std::string headline_classifier(const RowRefs& rows) {
  const std::vector<std::string> known = values_of(rows, "classifier");
  for (const char* const name : {"forest", "mlp", "svm", "logistic", "knn"})
    if (std::ranges::find(known, name) != known.end()) return name;
  return known.empty() ? "" : known.front();
}

RowRefs headline_rows(const RowRefs& rows) {
  return rows_where(rows, "classifier", headline_classifier(rows));
}

View::View(const io::NamedResults& source, const std::vector<io::NamedResults>& all)
    : source_(&source), rows_(refer(source.results)) {
  plain_ = rows_where(rows_, is_plain);
  const RowRefs& telling = plain_.empty() ? rows_ : plain_;
  strict_split_ = strictest_split(telling);
  const std::vector<std::string> measures = values_of(telling, key::measure);
  if (!measures.empty())
    main_measure_ = std::ranges::find(measures, io::measure_name::all) != measures.end()
                        ? io::measure_name::all
                        : measures.front();
  for (const io::Results::MeanTrajectory& trajectory : source.results.trajectories) {
    bool shown = false;
    for (const io::NamedResults* other = all.data(); other != &source; ++other)
      shown |= other->results.dataset_sha256 == source.results.dataset_sha256 &&
               std::ranges::any_of(other->results.trajectories,
                                   [&](const auto& one) { return one.observable == trajectory.observable; });
    if (!shown) trajectories_.push_back(&trajectory);
  }
  for (const io::NamedResults& other : all) {
    if (other.results.dataset_sha256 != source.results.dataset_sha256) continue;
    const RowRefs plain = rows_where(refer(other.results), is_plain);
    plain_everywhere_.insert(plain_everywhere_.end(), plain.begin(), plain.end());
  }
}

RowRefs View::plain_strict() const {
  return of_split(plain_, strict_split_);
}

RowRefs View::main_rows() const {
  const RowRefs rows = plain_strict();
  return main_measure_.empty() ? rows : rows_where(rows, key::measure, main_measure_);
}

const Row* View::headline() const {
  const RowRefs rows = headline_rows(with_accuracy(main_rows()));
  return rows.empty() ? nullptr : rows.front();
}

RowRefs View::with_key(const std::string& key) const {
  const RowRefs rows = rows_where(rows_, [&](const Row& row) { return row.condition.contains(key); });
  return of_split(rows, strictest_split(rows));
}

const Row* View::reference(const Row& row) const {
  const RowRefs alike = rows_where(with_accuracy(plain_everywhere_), [&](const Row& other) {
    return other.classifier == row.classifier && measure_of(other) == measure_of(row);
  });
  RowRefs same_split;
  if (const auto split = condition(row, key::split)) same_split = rows_where(alike, key::split, *split);
  if (same_split.empty()) same_split = of_split(alike, strictest_split(alike));
  return same_split.empty() ? nullptr : same_split.front();
}

std::optional<std::string> View::configured(const std::string& key) const {
  try {
    const Config config = Config::from_toml(results().config, "config");
    const Config::Entry* entry = config.find(key);
    if (entry == nullptr) return std::nullopt;
    if (const auto* text = std::get_if<std::string>(&entry->value.data)) return *text;
    return entry->value.to_toml();
  } catch (const InputError&) {
    return std::nullopt;  // The page shows the configuration as it is, whatever it is.
  }
}

std::string View::target() const {
  std::string target = configured("target").value_or("learning_rule");
  std::ranges::replace(target, '_', ' ');
  return target;
}

std::vector<std::string> View::classes() const {
  std::vector<std::string> classes;
  for (const Row* row : rows_)
    for (const std::string& label : row->labels)
      if (std::ranges::find(classes, label) == classes.end()) classes.push_back(label);
  return classes;
}

}  // namespace lrid::report
