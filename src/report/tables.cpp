// Figures that are tables: d′, chosen hyperparameters, other figures, and every row.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "figures.hpp"
#include "markup.hpp"

namespace lrid::report {
namespace {

Cell text_cell(std::string_view text) {
  return {escape(text), false};
}
Cell number_cell(std::string_view text) {
  return {escape(text), true};
}

/// Names of the `extra` figures of rows but for those that have a figure of their own: by layer position, and
/// what is lost without an observable.
std::vector<std::string> extra_names(const RowRefs& rows) {
  std::set<std::string> names;
  for (const Row* row : rows)
    for (const auto& [name, figure] : row->extra)
      if (!name.starts_with(permuted_prefix)) names.insert(name);
  for (const char* position : {"0", "1", "2"}) names.erase(position_accuracy_name(position));
  return {names.begin(), names.end()};
}

Cell extra_cell(const Row& row, const std::string& name) {
  const auto found = row.extra.find(name);
  return number_cell(found == row.extra.end() ? "" : with_error(found->second));
}

Cell split_cell(const Row& row) {
  return text_cell(split_title(condition(row, "split").value_or("")));
}

/// The plain rows of the main measure: classifier by classifier, one for each kind of split.
RowRefs main_rows_of_all_splits(const View& view) {
  RowRefs rows;
  for (const std::string& classifier : values_of(view.plain(), "classifier"))
    for (const Row* row : rows_where(view.plain(), "classifier", classifier))
      if (condition(*row, "measure").value_or("") == view.main_measure()) rows.push_back(row);
  return rows;
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string setting_text(const std::map<std::string, io::ConditionValue>& setting) {
  std::string text;
  for (const auto& [name, value] : setting)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, text_of(value));
  return text.empty() ? "nothing to choose" : text;
}

}  // namespace

std::optional<Exhibit> dprime_table(const View& view) {
  const RowRefs rows =
      rows_where(main_rows_of_all_splits(view), [](const Row& row) { return !row.dprime.empty(); });
  if (rows.empty()) return std::nullopt;
  const std::vector<std::string>& labels = rows.front()->labels;
  std::vector<Cell> header = {text_cell("classifier"), text_cell("split")};
  for (const std::string& label : labels) header.push_back(number_cell(label));
  std::vector<std::vector<Cell>> body;
  struct Class {
    double value;
    std::string label, classifier;
  };
  std::vector<Class> found;
  for (const Row* row : rows) {
    if (row->labels != labels) continue;
    body.push_back({text_cell(classifier_title(row->classifier)), split_cell(*row)});
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const io::Figure dprime = summarise(row->dprime, i), balanced = summarise(row->balanced_accuracy, i);
      if (std::isfinite(dprime.mean) && condition(*row, "split").value_or("") == view.strict_split())
        found.push_back({dprime.mean, labels[i], row->classifier});
      body.back().push_back(
          {fmt::format("{}<small>{}</small>", with_error(dprime), number(balanced.mean)), true});
    }
  }
  if (found.empty()) return std::nullopt;
  const auto [hardest, easiest] = std::ranges::minmax_element(found, {}, &Class::value);
  Exhibit exhibit{.title = "How well each rule stands out", .html = table(header, body)};
  exhibit.finding =
      fmt::format("Easiest to pick out is {} ({}, d′\u00a0{}), hardest {} ({}, d′\u00a0{}).", easiest->label,
                  classifier_title(easiest->classifier), number(easiest->value), hardest->label,
                  classifier_title(hardest->classifier), number(hardest->value));
  exhibit.caption =
      "d′ = Z(true positive rate) − Z(false alarm rate), each Z clipped to ±5: 0 is guessing. Mean ± s.e.m. "
      "over the "
      "splits; small: balanced accuracy, (sensitivity + specificity)/2.";
  return exhibit;
}

std::optional<Exhibit> hyperparameter_table(const View& view) {
  std::vector<std::vector<Cell>> body;
  std::vector<std::string> unanimous;
  std::size_t with_choice = 0;
  for (const Row* row : view.main_rows()) {
    if (row->hyperparameters.empty()) continue;
    std::map<std::string, int> times;
    for (const auto& setting : row->hyperparameters) ++times[setting_text(setting)];
    std::vector<std::pair<std::string, int>> sorted(times.begin(), times.end());
    std::ranges::stable_sort(sorted, std::ranges::greater{}, &std::pair<std::string, int>::second);
    ++with_choice;
    if (sorted.size() == 1) unanimous.push_back(classifier_title(row->classifier));
    for (std::size_t i = 0; i < sorted.size(); ++i)
      body.push_back({text_cell(i == 0 ? classifier_title(row->classifier) : ""), text_cell(sorted[i].first),
                      number_cell(fmt::format("{} of {}", sorted[i].second, row->hyperparameters.size()))});
  }
  if (body.empty()) return std::nullopt;
  Exhibit exhibit{
      .title = "Hyperparameters chosen",
      .html = table({text_cell("classifier"), text_cell("setting"), number_cell("splits")}, body)};
  if (unanimous.size() == with_choice)
    exhibit.caption = "Every split chose the same setting. ";
  else if (!unanimous.empty())
    exhibit.caption = fmt::format("All splits agree for the {}. ", enumerate(unanimous));
  else
    exhibit.caption = "The splits disagree about the best setting. ";
  exhibit.caption += "Chosen by cross-validation inside the training part of each split.";
  return exhibit;
}

std::optional<Exhibit> extra_table(const View& view) {
  const RowRefs rows = main_rows_of_all_splits(view);
  const std::vector<std::string> names = extra_names(rows);
  if (names.empty()) return std::nullopt;
  std::vector<Cell> header = {text_cell("classifier"), text_cell("split")};
  for (const std::string& name : names) header.push_back(number_cell(spaced(name)));
  std::vector<std::vector<Cell>> body;
  for (const Row* row : rows) {
    body.push_back({text_cell(classifier_title(row->classifier)), split_cell(*row)});
    for (const std::string& name : names) body.back().push_back(extra_cell(*row, name));
  }
  return Exhibit{.title = "Other figures",
                 .html = table(header, body),
                 .caption = fmt::format(
                     "What was measured besides accuracy{}, mean ± s.e.m. over the splits. Under other "
                     "conditions: in the table of all numbers.",
                     view.main_measure().empty() ? "" : ", from " + measure_title(view.main_measure()))};
}

std::string all_rows_table(const View& view) {
  const std::vector<std::string> kinds = values_of(view.rows(), "split");
  // A line for each classifier and condition, accuracies under all kinds of split side by side.
  struct Line {
    std::string classifier, condition;
    std::map<std::string, const Row*> rows;  // kind of split → row
  };
  std::vector<Line> lines;
  for (const Row* row : view.rows()) {
    Row without = *row;
    without.condition.erase("split");
    const std::string text = describe_condition(without);
    auto line = std::ranges::find_if(
        lines, [&](const Line& one) { return one.classifier == row->classifier && one.condition == text; });
    if (line == lines.end()) line = lines.insert(lines.end(), {row->classifier, text, {}});
    line->rows[condition(*row, "split").value_or("")] = row;
  }
  std::vector<Cell> header = {text_cell("classifier"), text_cell("condition")};
  if (kinds.empty()) header.push_back(number_cell("accuracy"));
  for (const std::string& kind : kinds) header.push_back(number_cell("accuracy, split " + split_title(kind)));
  for (const char* title : {"splits", "train", "test", "networks"}) header.push_back(number_cell(title));
  const std::vector<std::string> names = extra_names(view.rows());
  for (const std::string& name : names) header.push_back(number_cell(spaced(name)));
  std::vector<std::vector<Cell>> body;
  for (const Line& line : lines) {
    const auto strict = line.rows.find("network");
    const Row& row = strict == line.rows.end() ? *line.rows.begin()->second : *strict->second;
    std::vector<Cell>& cells = body.emplace_back();
    cells = {text_cell(classifier_title(line.classifier)), text_cell(line.condition)};
    if (kinds.empty()) cells.push_back(number_cell(with_error(row.accuracy, 3)));
    for (const std::string& kind : kinds) {
      const auto found = line.rows.find(kind);
      cells.push_back(number_cell(found == line.rows.end() ? "" : with_error(found->second->accuracy, 3)));
    }
    for (const std::int64_t number :
         {static_cast<std::int64_t>(row.accuracy.splits.size()), row.n_train, row.n_test, row.n_networks})
      cells.push_back(number_cell(count(number)));
    for (const std::string& name : names) cells.push_back(extra_cell(row, name));
  }
  return table(header, body) +
         (kinds.size() > 1 ? "<p>Figures besides accuracy are those of the split grouped by network.</p>\n"
                           : "");
}

}  // namespace lrid::report
