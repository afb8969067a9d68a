// Figures that show a matrix of shades: confusions, and accuracy over two conditions.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "figures.hpp"
#include "markup.hpp"
#include "panels.hpp"

namespace lrid::report {
namespace {

using Counts = std::vector<std::vector<std::int64_t>>;

/// Summed over splits; empty where the row has none of the right shape.
Counts total_confusion(const Row& row) {
  const std::size_t classes = row.labels.size();
  Counts total;
  for (const Counts& split : row.confusion) {
    if (split.size() != classes) return {};
    if (total.empty()) total.assign(classes, std::vector<std::int64_t>(classes, 0));
    for (std::size_t i = 0; i < classes; ++i) {
      if (split[i].size() != classes) return {};
      for (std::size_t j = 0; j < classes; ++j) total[i][j] += split[i][j];
    }
  }
  return total;
}

/// Accuracy over two numeric or named conditions, a panel per classifier × measure.
std::string accuracy_maps(const RowRefs& rows, const std::string& down, const std::string& across,
                          const std::string& down_title, const std::string& across_title) {
  std::string html;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs of_classifier = rows_where(rows, "classifier", classifier);
    std::vector<std::string> measures = values_of(of_classifier, "measure");
    if (measures.empty()) measures.emplace_back();
    for (const std::string& measure : measures) {
      const RowRefs own = measure.empty() ? of_classifier : rows_where(of_classifier, "measure", measure);
      HeatMap map{.row_labels = values_of(own, down),
                  .column_labels = values_of(own, across),
                  .row_title = down_title,
                  .column_title = across_title};
      for (const std::string& i : map.row_labels) {
        map.shade.emplace_back();
        map.main.emplace_back();
        for (const std::string& j : map.column_labels) {
          const RowRefs cell = rows_where(rows_where(own, down, i), across, j);
          const double mean = cell.empty() ? NAN : cell.front()->accuracy.mean;
          map.shade.back().push_back(mean);
          map.main.back().push_back(number(mean));
        }
      }
      std::string heading = sentence(classifier_title(classifier));
      if (!measure.empty()) heading += ", " + measure_title(measure);
      html += panel(heading, heat_map(map, "Accuracy, " + heading));
    }
  }
  return panels(html);
}

}  // namespace

std::optional<Exhibit> confusion_figure(const View& view) {
  const RowRefs rows = view.main_rows();
  std::string html;
  bool counts_shown = false;
  struct Confused {
    double share = -1;
    std::string actual, predicted, classifier;
  } most;
  for (const Row* row : rows) {
    const Counts total = total_confusion(*row);
    if (total.empty()) continue;
    HeatMap map{.row_labels = row->labels,
                .column_labels = row->labels,
                .row_title = "actual rule",
                .column_title = "predicted rule"};
    const bool roomy = total.size() <= 5;  // else no room for the unit, nor for counts
    const char* unit = roomy ? "\u202f%" : "";
    counts_shown |= roomy;
    for (std::size_t i = 0; i < total.size(); ++i) {
      std::int64_t sum = 0;
      for (const std::int64_t entry : total[i]) sum += entry;
      map.shade.emplace_back();
      map.main.emplace_back();
      map.detail.emplace_back();
      for (std::size_t j = 0; j < total.size(); ++j) {
        const double share = sum == 0 ? NAN : static_cast<double>(total[i][j]) / static_cast<double>(sum);
        map.shade.back().push_back(share);
        map.main.back().push_back(sum == 0 ? "–" : number(100 * share, 0) + unit);
        map.detail.back().push_back(roomy ? count(total[i][j]) : "");
        if (i != j && share > most.share) most = {share, row->labels[i], row->labels[j], row->classifier};
      }
    }
    html += panel(sentence(classifier_title(row->classifier)),
                  heat_map(map, "Confusion matrix, " + row->classifier));
  }
  if (html.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Which rules are taken for which", .html = panels(html)};
  if (most.share > 0)
    exhibit.finding = fmt::format(
        "The most frequent confusion: the {} takes {} for {} in {}\u202f% of the cases.",
        classifier_title(most.classifier), most.actual, most.predicted, number(100 * most.share, 0));
  else if (most.share == 0)
    exhibit.finding = "No rule was ever taken for another.";
  exhibit.caption =
      fmt::format("Each row adds up to 100\u202f%: how samples of one rule were named{}{}.",
                  counts_shown ? "; small: counts, summed over the splits" : ", over all splits",
                  view.main_measure().empty() ? "" : ", from " + measure_title(view.main_measure()));
  return exhibit;
}

std::optional<Exhibit> portion_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key("train_points"),
                                  [](const Row& row) { return row.condition.contains("test_points"); });
  const RowRefs same = rows_where(
      rows, [](const Row& row) { return condition(row, "train_points") == condition(row, "test_points"); });
  const Row *best = highest(same), *worst = lowest(same);
  if (best == nullptr) return std::nullopt;
  std::string html =
      bar_panels(bar_panels_of(same, "train_points"), "Accuracy from portions of the trajectory");
  // Portions that were tested on each other make a map.
  std::vector<std::vector<std::string>> groups;
  for (const std::string& name : values_of(rows, "train_points")) {
    const std::vector<std::string> tested = values_of(rows_where(rows, "train_points", name), "test_points");
    if (tested.size() > 1 && std::ranges::find(groups, tested) == groups.end()) groups.push_back(tested);
  }
  for (const std::vector<std::string>& group : groups)
    html += accuracy_maps(
        rows_where(rows,
                   [&](const Row& row) {
                     return std::ranges::find(group, *condition(row, "train_points")) != group.end() &&
                            std::ranges::find(group, *condition(row, "test_points")) != group.end();
                   }),
        "train_points", "test_points", "trained on", "tested on");
  Exhibit exhibit{.title = "Accuracy from portions of the trajectory", .html = html};
  if (best != worst)
    exhibit.finding = fmt::format("From portions of the trajectory, accuracy runs from {} ({}) to {} ({}).",
                                  number(worst->accuracy.mean), *condition(*worst, "train_points"),
                                  number(best->accuracy.mean), *condition(*best, "train_points"));
  exhibit.caption = fmt::format(
      "Bars: trained and tested on the same points. {}.{}", how_to_read,
      groups.empty()
          ? ""
          : " Maps: trained on the points of a row, tested on those of a column; the stronger the shade, "
            "the more accurate.");
  return exhibit;
}

std::optional<Exhibit> imperfection_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key("unit_fraction"),
                                  [](const Row& row) { return row.condition.contains("noise"); });
  const Row *best = highest(rows), *worst = lowest(rows);
  if (best == nullptr) return std::nullopt;
  Exhibit exhibit{
      .title = "Accuracy under noise and with few units",
      .html = accuracy_maps(rows, "noise", "unit_fraction", "noise (sd)", "fraction of units measured")};
  if (best != worst)
    exhibit.finding =
        fmt::format("Measured imperfectly, accuracy falls as low as {} (noise {}, {} of the units) from {}.",
                    number(worst->accuracy.mean), *condition(*worst, "noise"),
                    *condition(*worst, "unit_fraction"), number(best->accuracy.mean));
  exhibit.caption =
      "Noise is added to every measured value, then a share of the units is kept; training and test alike. "
      "The stronger the shade, the more accurate.";
  return exhibit;
}

std::optional<Exhibit> transfer_figure(const View& view) {
  const RowRefs rows =
      rows_where(view.with_key("train_on"), [](const Row& row) { return row.condition.contains("test_on"); });
  const RowRefs across = rows_where(
      rows, [](const Row& row) { return condition(row, "train_on") != condition(row, "test_on"); });
  const Row *best = highest(across), *worst = lowest(across);
  if (best == nullptr) return std::nullopt;
  Exhibit exhibit{.title = "Trained on one kind, tested on another",
                  .html = accuracy_maps(rows, "train_on", "test_on", "trained on", "tested on")};
  exhibit.finding = fmt::format(
      "From one kind of network to another, accuracy lies between {} ({} to {}) and {} ({} to {}).",
      with_error(worst->accuracy), *condition(*worst, "train_on"), *condition(*worst, "test_on"),
      with_error(best->accuracy), *condition(*best, "train_on"), *condition(*best, "test_on"));
  exhibit.caption =
      "On the diagonal: within a kind, other networks of it. The stronger the shade, the more accurate.";
  return exhibit;
}

std::optional<Exhibit> pair_figure(const View& view) {
  const RowRefs rows = view.with_key("pair");
  const Row *easiest = highest(rows), *hardest = lowest(rows);
  if (easiest == nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (const Row* row : rows)
    for (const std::string& label : row->labels)
      if (std::ranges::find(names, label) == names.end()) names.push_back(label);
  std::string html;
  for (const std::string& classifier : values_of(rows, "classifier"))
    for (const std::string& measure : values_of(rows, "measure")) {
      const RowRefs own = rows_where(rows_where(rows, "classifier", classifier), "measure", measure);
      if (own.empty()) continue;
      HeatMap map{.row_labels = names, .column_labels = names, .row_title = "", .column_title = ""};
      for (const std::string& a : names) {
        map.shade.emplace_back();
        map.main.emplace_back();
        for (const std::string& b : names) {
          double accuracy = NAN;
          for (const Row* row : own)
            if (row->labels == std::vector{a, b} || row->labels == std::vector{b, a})
              accuracy = row->accuracy.mean;
          map.shade.back().push_back(std::isfinite(accuracy) ? 2 * accuracy - 1 : accuracy);
          map.main.back().push_back(a == b ? "" : number(accuracy));
        }
      }
      const std::string heading = sentence(classifier_title(classifier)) + ", " + measure_title(measure);
      html += panel(heading, heat_map(map, "Accuracy between pairs, " + heading));
    }
  Exhibit exhibit{.title = "Pairs without the others", .html = panels(html)};
  exhibit.finding = fmt::format("The easiest pair is {} ({}), the hardest {} ({}); chance is 0.5.",
                                *condition(*easiest, "pair"), with_error(easiest->accuracy),
                                *condition(*hardest, "pair"), with_error(hardest->accuracy));
  exhibit.caption = "Accuracy where only two classes are there. White is chance, full shade no error.";
  return exhibit;
}

}  // namespace lrid::report
