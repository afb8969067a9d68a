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

/// A row's figure, nothing where it has none.
using FigureOf = std::function<std::optional<io::Figure>(const io::ResultRow&)>;

constexpr std::size_t figure_width = 13;  // "0.812 ± 0.014"

std::string text_of(const io::Figure& figure) {
  return std::isnan(figure.mean) ? "none" : fmt::format("{:.3f} ± {:.3f}", figure.mean, figure.sem);
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
/// fit beside each other follow below. Empty if no row has the figure.
std::string block(const std::string& title, const io::Results& results, const FigureOf& figure_of,
                  std::size_t width) {
  std::vector<std::string> columns, lines;
  std::map<std::pair<std::string, std::string>, std::string> figures;
  for (const io::ResultRow& row : results.rows) {
    const auto figure = figure_of(row);
    if (!figure) continue;
    const std::string line = condition_of(row);
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
    if (std::ranges::find(columns, row.classifier) == columns.end()) columns.push_back(row.classifier);
    figures[{line, row.classifier}] = text_of(*figure);
  }
  constexpr std::size_t least_condition = 24, column_width = figure_width + 2;
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
          for (std::size_t c = begin; c < end; ++c) row += "  " + padded(entry_of(columns[c]), figure_width);
        text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
      }
    };
    add_row(title, [](const std::string& column) { return column; });
    for (const std::string& line : lines)
      add_row(line, [&](const std::string& column) { return figures[{line, column}]; });
    text += "\n";
  }
  return text;
}

FigureOf extra(const std::string& name) {
  return [name](const io::ResultRow& row) -> std::optional<io::Figure> {
    const auto found = row.extra.find(name);
    return found == row.extra.end() ? std::nullopt : std::optional(found->second);
  };
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
  std::string text = block(
      "accuracy", results, [](const io::ResultRow& row) { return std::optional(row.accuracy); }, width);
  for (const auto& [title, figure] : {std::pair{"AUROC, networks", name::network_auroc},
                                      {"AUROC, layers", name::auroc_novelty},
                                      {"known networks refused", name::network_known_refused},
                                      {"unknown networks refused", name::network_unknown_refused},
                                      {"known layers refused", name::known_refused},
                                      {"unknown layers refused", name::unknown_refused}})
    text += block(title, results, extra(figure), width);
  if (results.experiment == "importances")
    for (const io::ResultRow& row : results.rows) text += importances(row, width);
  return text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
}

}  // namespace lrid::identify
