// Exhibits that are tables: d′, chosen hyperparameters, other figures, and every row.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

/// Names of the rows' `extra` figures but for those that have figures of their own: by layer position, and
/// what is lost without an observable.
std::vector<std::string> extra_names(const RowRefs& rows) {
  std::set<std::string> names;
  for (const Row* row : rows)
    for (const auto& [name, figure] : row->extra)
      if (!name.starts_with(io::extra_name::permuted)) names.insert(name);
  for (const char* position : io::extra_name::accuracy_at_position) names.erase(position);
  return {names.begin(), names.end()};
}

/// The plain rows of the main measure: classifier by classifier, one for each kind of split.
RowRefs main_rows_of_all_splits(const View& view) {
  RowRefs rows;
  for (const std::string& classifier : values_of(view.plain(), "classifier"))
    for (const Row* row : rows_where(view.plain(), "classifier", classifier))
      if (condition(*row, key::measure).value_or("") == view.main_measure()) rows.push_back(row);
  return rows;
}

std::string split_of(const Row& row) {
  return split_title(condition(row, key::split).value_or(""));
}

std::string setting_text(const std::map<std::string, io::ConditionValue>& setting) {
  std::string text;
  for (const auto& [name, value] : setting)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, text_of(value));
  return text.empty() ? "nothing to choose" : text;
}

std::string from_measure(const View& view) {
  return view.main_measure().empty() ? "" : ", from " + measure_title(view.main_measure());
}

}  // namespace

std::optional<Exhibit> dprime_table(const View& view) {
  const RowRefs rows = rows_where(view.main_rows(), [](const Row& row) { return !row.dprime.empty(); });
  if (rows.empty()) return std::nullopt;
  const std::vector<std::string>& labels = rows.front()->labels;
  const std::string headline = headline_classifier(rows);
  Exhibit exhibit{.title = "How well each class stands out (d′)"};
  if (view.target() == "learning rule") exhibit.title = "How well each rule stands out (d′)";
  exhibit.table.header = {words(view.target())};
  for (const Row* row : rows)
    if (row->labels == labels)
      exhibit.table.header.push_back(number_title(classifier_title(row->classifier)));
  std::vector<std::pair<double, std::string>> found;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::vector<TableEntry>& line = exhibit.table.rows.emplace_back();
    line.push_back(row_title(class_title(labels[i])));
    for (const Row* row : rows) {
      if (row->labels != labels) continue;
      Figure dprime = summarise(row->dprime, i);
      if (i < row->dprime_intervals.size()) dprime.interval = row->dprime_intervals[i];
      const Figure balanced = summarise(row->balanced_accuracy, i);
      line.push_back(figure_entry(dprime));
      line.back().detail = number(balanced.mean, 3);
      if (std::isfinite(dprime.mean) && row->classifier == headline)
        found.emplace_back(dprime.mean, class_title(labels[i]));
    }
  }
  if (found.empty()) return std::nullopt;
  const auto [hardest, easiest] = std::ranges::minmax_element(found);
  if (found.size() > 1)
    exhibit.finding = fmt::format("For the {}, d′ is highest for {} and lowest for {}.",
                                  classifier_title(headline), easiest->second, hardest->second);
  exhibit.caption =
      "d′ per layer with the log-linear correction (Hautus 1995), in square brackets its 95\u202f% interval "
      "over "
      "networks (jackknife); 0 is guessing. Small: balanced accuracy, (sensitivity + specificity)/2.";
  return exhibit;
}

std::optional<Exhibit> hyperparameter_table(const View& view) {
  Exhibit exhibit{.title = "Hyperparameters chosen"};
  exhibit.table.header = {words("classifier"), words("setting"), number_title("splits that chose it")};
  for (const Row* row : view.main_rows()) {
    std::map<std::string, std::int64_t> times;
    for (const auto& setting : row->hyperparameters) ++times[setting_text(setting)];
    std::vector<std::pair<std::string, std::int64_t>> sorted(times.begin(), times.end());
    std::ranges::stable_sort(sorted, std::ranges::greater{}, &std::pair<std::string, std::int64_t>::second);
    for (const auto& [setting, number] : sorted)
      exhibit.table.rows.push_back({row_title(classifier_title(row->classifier)),
                                    words(setting),
                                    {.text = fmt::format("{} of {}", number, row->hyperparameters.size()),
                                     .numeric = true,
                                     .value = static_cast<double>(number)}});
  }
  if (exhibit.table.rows.empty()) return std::nullopt;
  exhibit.caption =
      "Chosen by cross-validation inside the training part of each split" + from_measure(view) + ".";
  return exhibit;
}

std::optional<Exhibit> extra_table(const View& view) {
  const RowRefs rows = main_rows_of_all_splits(view);
  Exhibit exhibit{.title = "Other figures"};
  exhibit.table.header = {words("figure")};
  for (const Row* row : rows)
    exhibit.table.header.push_back(number_title(classifier_title(row->classifier) +
                                                (split_of(*row).empty() ? "" : ", split " + split_of(*row))));
  for (const std::string& name : extra_names(rows)) {
    std::vector<TableEntry>& line = exhibit.table.rows.emplace_back();
    line.push_back(row_title(extra_title(name)));
    for (const Row* row : rows) line.push_back(figure_entry(extra(*row, name)));
  }
  if (exhibit.table.rows.empty()) return std::nullopt;
  exhibit.caption = fmt::format(
      "Measured besides accuracy{}. Mean ± spread over splits, or 95\u202f% interval over networks.",
      from_measure(view));
  return exhibit;
}

std::optional<Exhibit> comparison_table(const View& view) {
  const std::vector<io::RowComparison>& all = view.results().comparisons;
  Exhibit exhibit{.title = "Differences over the same networks"};
  exhibit.table.header = {words("about"),
                          words("one"),
                          words("other"),
                          words("in common"),
                          number_title("difference"),
                          number_title("p (Holm)"),
                          number_title("networks")};
  std::size_t decided = 0;
  const auto part = [](const Row& row, const Row& other, bool shared) {
    Row kept;
    for (const auto& [name, value] : row.condition) {
      const auto found = other.condition.find(name);
      if ((found != other.condition.end() && found->second == value) == shared) kept.condition[name] = value;
    }
    std::string text = describe_condition(kept);
    if ((row.classifier == other.classifier) == shared)
      text = classifier_title(row.classifier) + (text.empty() ? "" : ", " + text);
    return text.empty() ? "everything" : text;
  };
  for (const io::RowComparison& one : all) {
    const Row &a = view.results().rows[one.a], &b = view.results().rows[one.b];
    const Figure difference{
        .mean = one.difference, .sem = std::nan(""), .splits = {}, .interval = one.interval, .p = {}};
    decided += one.p_holm < 0.05 ? 1U : 0U;
    exhibit.table.rows.push_back({row_title(one.about),
                                  words(part(a, b, false)),
                                  words(part(b, a, false)),
                                  words(part(a, b, true)),
                                  figure_entry(difference),
                                  {.text = one.p_holm < 0.001 ? "< 0.001" : number(one.p_holm, 3),
                                   .numeric = true,
                                   .value = one.p_holm},
                                  whole_number(one.networks)});
  }
  if (all.empty()) return std::nullopt;
  exhibit.finding = fmt::format("{} of {} differences are clear.", decided, all.size());
  exhibit.caption =
      "Accuracy of the one minus that of the other, with its 95\u202f% interval: paired over the networks "
      "that both "
      "test, in the same splits where they share them. p-values are corrected by Holm's method over the "
      "comparisons "
      "about the same thing under the same kind of split.";
  return exhibit;
}

std::optional<Exhibit> all_rows_table(const View& view) {
  if (view.rows().empty()) return std::nullopt;
  const std::vector<std::string> kinds = values_of(view.rows(), key::split);
  // A line for each classifier and condition, accuracies under all kinds of split side by side.
  struct Line {
    std::string classifier, condition;
    std::map<std::string, const Row*> rows;  // kind of split → row
  };
  std::vector<Line> lines;
  for (const Row* row : view.rows()) {
    Row without;
    without.condition = row->condition;
    without.condition.erase(key::split);
    const std::string text = describe_condition(without);
    auto line = std::ranges::find_if(
        lines, [&](const Line& one) { return one.classifier == row->classifier && one.condition == text; });
    if (line == lines.end()) line = lines.insert(lines.end(), {row->classifier, text, {}});
    line->rows[condition(*row, key::split).value_or("")] = row;
  }
  Exhibit exhibit{.title = "All numbers"};
  Table& table = exhibit.table;
  table.header = {words("condition"), words("classifier")};
  if (kinds.empty()) table.header.push_back(number_title("accuracy"));
  for (const std::string& kind : kinds)
    table.header.push_back(number_title("accuracy, split " + split_title(kind)));
  for (const char* title : {"splits", "training layers", "test layers", "networks"})
    table.header.push_back(number_title(title));
  const std::vector<std::string> names = extra_names(view.rows());
  for (const std::string& name : names) table.header.push_back(number_title(extra_title(name)));
  for (const Line& line : lines) {
    const auto strict = line.rows.find(io::split_name::network);
    const Row& row = strict == line.rows.end() ? *line.rows.begin()->second : *strict->second;
    std::vector<TableEntry>& entries = table.rows.emplace_back();
    entries = {row_title(line.condition.empty() ? "all" : line.condition),
               words(classifier_title(line.classifier))};
    if (kinds.empty()) entries.push_back(figure_entry(row.accuracy));
    for (const std::string& kind : kinds) {
      const auto found = line.rows.find(kind);
      entries.push_back(
          figure_entry(found == line.rows.end() ? std::nullopt : std::optional(found->second->accuracy)));
    }
    for (const std::int64_t number :
         {static_cast<std::int64_t>(row.accuracy.splits.size()), row.n_train, row.n_test, row.n_networks})
      entries.push_back(whole_number(number));
    for (const std::string& name : names) entries.push_back(figure_entry(extra(row, name)));
  }
  exhibit.caption = fmt::format(
      "In square brackets 95\u202f% intervals over networks, small the p-value against chance; ± the spread "
      "over "
      "splits where there is no interval.{}",
      kinds.size() > 1 ? " What is not accuracy is of the split by network." : "");
  return exhibit;
}

}  // namespace lrid::report
