#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>
#include <lrid/identify/run.hpp>

namespace lrid::identify {

namespace {

/// A row's entry in a table, nothing where it has none.
using EntryOf = std::function<std::optional<std::string>(const io::ResultRow&)>;

/// "0.812 [0.75, 0.86]", the 95 % interval over networks; without one "0.812 ± 0.014", the standard error
/// over splits.
std::string text_of(const io::Figure& figure) {
  if (std::isnan(figure.mean)) return "none";
  if (figure.interval)
    return fmt::format("{:.3f} [{:.2f}, {:.2f}]", figure.mean, figure.interval->front(),
                       figure.interval->back());
  return fmt::format("{:.3f} ± {:.3f}", figure.mean, figure.sem);
}

std::string p_text(double p) {
  return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p);
}

std::string condition_of(const io::ResultRow& row) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : row.condition)
    parts.push_back(key + " " + std::visit([](const auto& v) { return fmt::format("{}", v); }, value));
  return join(parts, ", ");
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text_width(text)), ' ');
}

/// A line for each condition, a column for each classifier; conditions wrap at words, classifiers that do not
/// fit beside each other follow below. Empty if no row has an entry.
std::string block(const std::string& title, const io::Results& results, const EntryOf& entry_of_row,
                  std::size_t width) {
  std::vector<std::string> columns, lines;
  std::map<std::pair<std::string, std::string>, std::string> entries;
  std::size_t entry_width = 8;
  for (const io::ResultRow& row : results.rows) {
    const auto entry = entry_of_row(row);
    if (!entry) continue;
    const std::string line = condition_of(row);
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
    if (std::ranges::find(columns, row.classifier) == columns.end()) columns.push_back(row.classifier);
    entry_width = std::max(entry_width, text_width(*entry));
    entries[{line, row.classifier}] = *entry;
  }
  constexpr std::size_t least_condition = 20;
  const std::size_t column_width = entry_width + 2;
  const std::size_t fitting = std::max<std::size_t>(1, (width - least_condition) / column_width);
  std::string text;
  for (std::size_t begin = 0; begin < columns.size(); begin += fitting) {
    const std::size_t end = std::min(columns.size(), begin + fitting);
    const std::size_t room = width - (end - begin) * column_width;
    std::size_t condition_width = std::min(text_width(title), room);
    for (const std::string& line : lines)
      condition_width = std::max(condition_width, std::min(text_width(line), room));
    const auto add_row = [&](const std::string& name, const auto& entry_of) {
      std::vector<std::string> wrapped = wrap(name, condition_width);
      if (wrapped.empty()) wrapped.emplace_back();
      for (std::size_t i = 0; i < wrapped.size(); ++i) {
        std::string row = padded(wrapped[i], condition_width);
        if (i == 0)
          for (std::size_t c = begin; c < end; ++c) row += "  " + padded(entry_of(columns[c]), entry_width);
        text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
      }
    };
    add_row(title, [](const std::string& column) { return column; });
    for (const std::string& line : lines)
      add_row(line, [&](const std::string& column) { return entries[{line, column}]; });
    text += "\n";
  }
  return text;
}

EntryOf extra(const std::string& name) {
  return [name](const io::ResultRow& row) -> std::optional<std::string> {
    const auto found = row.extra.find(name);
    return found == row.extra.end() ? std::nullopt : std::optional(text_of(found->second));
  };
}

/// What distinguishes row a from row b: its classifier, or the conditions that b does not share.
std::string distinction(const io::ResultRow& a, const io::ResultRow& b) {
  if (a.classifier != b.classifier) return a.classifier;
  io::ResultRow own;
  for (const auto& [key, value] : a.condition)
    if (const auto found = b.condition.find(key); found == b.condition.end() || found->second != value)
      own.condition[key] = value;
  return own.condition.empty() ? "all" : condition_of(own);
}

/// The decided comparisons, largest difference first, and how many there are in all.
std::string comparisons(const io::Results& results, std::size_t width) {
  constexpr double level = 0.05;
  constexpr std::size_t most = 12;
  std::vector<const io::RowComparison*> decided;
  for (const io::RowComparison& one : results.comparisons)
    if (one.p_holm < level) decided.push_back(&one);
  if (results.comparisons.empty()) return "";
  std::ranges::stable_sort(decided, std::greater<>(),
                           [](const io::RowComparison* one) { return std::abs(one->difference); });
  std::string text;
  const auto add = [&](const std::string& line) {
    bool first = true;
    for (const std::string& part : wrap(line, width - 4)) {
      text += (text.empty() ? "" : first ? "  " : "    ") + part + "\n";
      first = false;
    }
  };
  add(fmt::format("differences over the same networks: {} of {} decided (p < {} by Holm's method)",
                  decided.size(), results.comparisons.size(), level));
  for (std::size_t i = 0; i < std::min(most, decided.size()); ++i) {
    const bool swapped = decided[i]->difference < 0;
    const io::ResultRow &more = results.rows[swapped ? decided[i]->b : decided[i]->a],
                        &less = results.rows[swapped ? decided[i]->a : decided[i]->b];
    io::ResultRow common;
    for (const auto& [key, value] : more.condition)
      if (const auto found = less.condition.find(key);
          found != less.condition.end() && found->second == value)
        common.condition[key] = value;
    add(fmt::format("{:+.3f} [{:.2f}, {:.2f}], p {}: {} over {} ({}{})", std::abs(decided[i]->difference),
                    swapped ? -decided[i]->interval.back() : decided[i]->interval.front(),
                    swapped ? -decided[i]->interval.front() : decided[i]->interval.back(),
                    p_text(decided[i]->p_holm), distinction(more, less), distinction(less, more),
                    more.classifier == less.classifier ? more.classifier + ", " : "", condition_of(common)));
  }
  if (decided.size() > most) add(fmt::format("and {} more in the results file", decided.size() - most));
  return text + "\n";
}

/// What carries a row's decision, most important first: the forest's own importances, and what accuracy loses
/// by permutation.
std::string importances(const io::ResultRow& row, std::size_t width) {
  constexpr std::size_t shown = 10;
  std::map<std::string, io::Figure> permuted;
  for (const auto& [name, figure] : row.extra)
    if (name.starts_with(io::extra_name::permuted))
      permuted[name.substr(io::extra_name::permuted.size())] = figure;
  std::string text;
  const auto add_list = [&](const std::string& title, const std::map<std::string, io::Figure>& figures) {
    if (figures.empty()) return;
    std::vector<std::pair<std::string, io::Figure>> ranked(figures.begin(), figures.end());
    std::ranges::stable_sort(ranked, std::greater<>(), [](const auto& entry) { return entry.second.mean; });
    if (ranked.size() > shown) ranked.resize(shown);
    for (const std::string& line :
         wrap(fmt::format("{}: {}, {}", title, row.classifier, condition_of(row)), width))
      text += line + "\n";
    for (const auto& [name, figure] : ranked) text += fmt::format("  {}  {}\n", text_of(figure), name);
    text += "\n";
  };
  add_list("importance", row.observable_importances);
  add_list("accuracy lost when permuted", permuted);
  return text;
}

}  // namespace

std::string result_table(const io::Results& results, std::size_t width) {
  namespace name = io::extra_name;
  const bool over_networks = std::ranges::any_of(
      results.rows, [](const io::ResultRow& row) { return row.accuracy.interval.has_value(); });
  std::string text = block(
      over_networks ? "accuracy [95 % interval]" : "accuracy", results,
      [](const io::ResultRow& row) { return std::optional(text_of(row.accuracy)); }, width);
  text += block(
      "p, above chance", results,
      [](const io::ResultRow& row) {
        return row.accuracy.p ? std::optional(p_text(*row.accuracy.p)) : std::nullopt;
      },
      width);
  for (const auto& [title, figure] : {std::pair{"AUROC, networks", name::network_auroc},
                                      {"AUROC, layers", name::auroc_novelty},
                                      {"known networks refused", name::network_known_refused},
                                      {"unknown networks refused", name::network_unknown_refused},
                                      {"known layers refused", name::known_refused},
                                      {"unknown layers refused", name::unknown_refused}})
    text += block(title, results, extra(figure), width);
  text += comparisons(results, width);
  if (results.experiment == "importances")
    for (const io::ResultRow& row : results.rows) text += importances(row, width);
  return text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
}

}  // namespace lrid::identify
