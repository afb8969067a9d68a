// Figures about the observables themselves: which ones matter, and what they do during training.

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "charts.hpp"
#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

constexpr std::size_t most_shown = 8;
constexpr const char* about_linear_layers =
    "Where layers are linear, as all observed layers of ResNets are, activity change does not depend on "
    "activity: it is a statistic of the kernel alone.";

std::string measure_class(const std::string& name) {
  return fmt::format("measure-{}", measure_index(name));
}

/// An observable, or a group of them, with its share of the decision.
struct Contribution {
  std::string name;
  Figure figure;
};

void sort_descending(std::vector<Contribution>& contributions) {
  std::ranges::stable_sort(contributions, std::ranges::greater{},
                           [](const Contribution& one) { return one.figure.mean; });
}

/// Figures added up split by split; without splits, their means.
Figure sum_of(const Figure& a, const Figure& b) {
  if (a.splits.size() == b.splits.size() && !a.splits.empty()) {
    std::vector<double> splits = a.splits;
    for (std::size_t i = 0; i < splits.size(); ++i) splits[i] += b.splits[i];
    return summarise(std::move(splits));
  }
  return {.mean = a.mean + b.mean, .sem = std::nan(""), .splits = {}};
}

void add_to(std::vector<Contribution>& contributions, const std::string& name, const Figure& figure) {
  const auto found = std::ranges::find(contributions, name, &Contribution::name);
  if (found == contributions.end())
    contributions.push_back({name, figure});
  else
    found->figure = sum_of(found->figure, figure);
}

/// Importance of each observable, summed over its points in time. With splits where the results have them.
std::vector<Contribution> importances_of(const Row& row) {
  std::vector<Contribution> result;
  for (const auto& [name, figure] : row.observable_importances)
    if (std::isfinite(figure.mean)) result.push_back({name, figure});
  if (result.empty())
    for (const auto& [feature, value] : row.importances)
      if (std::isfinite(value))
        add_to(result, io::observable_of_feature(feature),
               {.mean = value, .sem = std::nan(""), .splits = {}});
  sort_descending(result);
  return result;
}

/// The contributions of observables added up by what `group` says of them; "" leaves one out.
template <class Group>
std::vector<Contribution> grouped(const std::vector<Contribution>& observables, const Group& group) {
  std::vector<Contribution> result;
  for (const Contribution& one : observables)
    if (const std::string name = group(one.name); !name.empty()) add_to(result, name, one.figure);
  sort_descending(result);
  return result;
}

std::string statistic_of(const std::string& observable) {
  return stats::observable_index(observable) < 0 ? "" : observable.substr(observable.find('_') + 1);
}

std::string function_of(const std::string& observable) {
  const int index = stats::observable_index(observable);
  if (index < 0) return "";
  const stats::Function function = stats::observables()[static_cast<std::size_t>(index)].function;
  return function == stats::Function::raw ? "raw" : function == stats::Function::absolute ? "abs" : "sq";
}

std::string measure_name_of(const std::string& observable) {
  const std::string measure = observable_title(observable).measure;
  return measure.empty() ? "layer position and others" : measure;
}

BarPanel contribution_panel(std::string heading, std::vector<Contribution> contributions,
                            const std::string& title, std::string (*label)(const std::string&)) {
  if (contributions.size() > most_shown) contributions.resize(most_shown);
  BarPanel panel{std::move(heading), {}, std::nan(""), {.title = title}};
  double low = 0, high = 0;
  for (const Contribution& one : contributions) {
    const Range range = range_of(one.figure).value_or(Range{one.figure.mean, one.figure.mean});
    low = std::min(low, range.low);
    high = std::max(high, range.high);
    for (const double split : one.figure.splits)
      if (std::isfinite(split)) {
        low = std::min(low, split);
        high = std::max(high, split);
      }
    const ObservableTitle named = observable_title(one.name);
    if (named.code.empty())
      panel.bars.push_back({label(one.name), one.figure, measure_class(one.name)});
    else
      panel.bars.push_back({named.plain(), one.figure, measure_class(one.name), named.code});
  }
  panel.axis.low = low;
  panel.axis.high = std::max(high, 1e-9);
  return panel;
}

std::vector<LegendEntry> measure_legend(bool with_others) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < measures_in_order.size(); ++i)
    legend.push_back(square_entry(fmt::format("measure-{}", i), measure_title(measures_in_order[i])));
  if (with_others) legend.push_back(square_entry("measure-3", "across measures, and others"));
  return legend;
}

std::string itself(const std::string& name) {
  return measure_title(name);
}

}  // namespace

std::optional<Exhibit> importance_figure(const View& view) {
  RowRefs rows = rows_where(view.plain_strict(), [](const Row& row) {
    const std::vector<Contribution> all = importances_of(row);
    return !all.empty() && all.front().figure.mean > 0;
  });
  if (const RowRefs main = rows_where(rows, key::measure, view.main_measure()); !main.empty()) rows = main;
  if (rows.empty()) return std::nullopt;
  const std::string headline = headline_classifier(rows);
  Exhibit exhibit{.title = "What carries the decision", .topic = Topic::importances};
  std::vector<BarPanel> panels;
  for (const Row* row : rows) {
    const std::vector<Contribution> all = importances_of(*row);
    const std::string name = sentence(classifier_title(row->classifier));
    const auto measures = grouped(all, measure_name_of);
    panels.push_back(contribution_panel(
        fmt::format("{}: first {} of {}", name, std::min(most_shown, all.size()), all.size()), all,
        "importance", itself));
    for (const auto& [what, groups, label] :
         {std::tuple{"by measure", measures, &itself},
          std::tuple{"by statistic", grouped(all, statistic_of), &observable_group_title},
          std::tuple{"by function", grouped(all, function_of), &observable_group_title}})
      if (groups.size() > 1)
        panels.push_back(contribution_panel(name + ": " + what, groups, "importance, summed", label));
    if (row->classifier != headline) continue;
    std::vector<std::string> top;
    for (std::size_t i = 0; i < std::min<std::size_t>(2, all.size()); ++i)
      top.push_back(observable_name(all[i].name));
    exhibit.finding =
        fmt::format("The {} relies most on {}.", classifier_title(row->classifier), enumerate(top));
    double total = 0;
    for (const Contribution& one : measures) total += one.figure.mean;
    if (measures.size() > 1)
      exhibit.caption = fmt::format("Together, {} carry {} of its importance. ", measures.front().name,
                                    percent(measures.front().figure.mean / total));
  }
  exhibit.legend = measure_legend(true);
  add_bars(exhibit, panels, "importance");
  exhibit.caption +=
      "Importances are summed over an observable's points in time; for a forest they are the mean decrease "
      "of Gini "
      "impurity. Observables that repeat each other share theirs. ";
  exhibit.caption +=
      std::ranges::any_of(rows, [](const Row* row) { return !row->observable_importances.empty(); })
          ? "Whiskers are the spread over splits (one standard deviation)."
          : "These results hold their means over the splits only.";
  exhibit.caption += std::string(" ") + about_linear_layers;
  return exhibit;
}

std::optional<Exhibit> permutation_figure(const View& view) {
  Exhibit exhibit{.title = "What is lost without an observable", .topic = Topic::importances};
  std::vector<BarPanel> panels;
  RowRefs permuted;
  for (const Row* row : view.plain_strict()) {
    std::vector<Contribution> observables, measures;
    for (const auto& [name, figure] : row->extra) {
      if (!name.starts_with(io::extra_name::permuted) || !std::isfinite(figure.mean)) continue;
      const std::string group = name.substr(io::extra_name::permuted.size());
      (measure_title(group) == group ? observables : measures).push_back({group, figure});
    }
    if (observables.empty()) continue;
    permuted.push_back(row);
    const std::string name = sentence(classifier_title(row->classifier));
    sort_descending(observables);
    sort_descending(measures);
    panels.push_back(contribution_panel(name + ": observables", observables, "accuracy lost", itself));
    if (!measures.empty())
      panels.push_back(contribution_panel(name + ": whole measures", measures, "accuracy lost", itself));
    if (exhibit.finding.empty())
      exhibit.finding =
          fmt::format("Permuted among the test layers, {} costs the {} most: {} of its accuracy.",
                      observable_name(observables.front().name), classifier_title(row->classifier),
                      with_range(observables.front().figure));
  }
  if (panels.empty()) return std::nullopt;
  exhibit.legend = measure_legend(false);
  add_bars(exhibit, panels, "accuracy lost");
  exhibit.caption =
      "How far accuracy falls when the trajectories of one observable, or of one measure, change places "
      "among the test "
      "layers. What others repeat costs little alone. " +
      about_bars(permuted);
  return exhibit;
}

namespace {

/// Rows of numbers over time, some of which may be missing.
using Series = std::vector<std::vector<double>>;

double entry(const Series& series, std::size_t line, std::size_t t, double missing) {
  const bool known = line < series.size() && t < series[line].size() && std::isfinite(series[line][t]);
  return known ? series[line][t] : missing;
}

/// The values that an axis must cover; nothing if there are none.
std::optional<Range> extent(const io::Results::MeanTrajectory& trajectory) {
  Range range{INFINITY, -INFINITY};
  for (std::size_t line = 0; line < trajectory.mean.size(); ++line)
    for (std::size_t t = 0; t < trajectory.mean[line].size(); ++t) {
      const double mean = trajectory.mean[line][t], sem = entry(trajectory.sem, line, t, 0);
      if (!std::isfinite(mean)) continue;
      range.low = std::min(range.low, mean - sem);
      range.high = std::max(range.high, mean + sem);
    }
  if (!std::isfinite(range.low)) return std::nullopt;
  const double margin = range.high - range.low < 1e-9 ? 0.5 : 0.05 * (range.high - range.low);
  return Range{range.low - margin, range.high + margin};
}

}  // namespace

std::optional<Exhibit> trajectory_figure(const View& view) {
  Exhibit exhibit{.title = "The most important observables during training"};
  exhibit.table.header = {words("observable"), words("class"), number_title("training"),
                          number_title("z-score"), number_title("s.e.m.")};
  std::vector<std::string> labels;
  struct Gap {
    double value = -1;
    std::string observable, high, low;
  } widest;
  for (const io::Results::MeanTrajectory* shown : view.trajectories()) {
    const io::Results::MeanTrajectory& trajectory = *shown;
    const std::optional<Range> range = extent(trajectory);
    if (!range) continue;
    const std::string name = observable_name(trajectory.observable);
    Plot plot({.low = 0, .high = 100, .title = "training (%)"},
              {.low = range->low, .high = range->high, .title = "z-score"}, "Mean trajectories of " + name);
    plot.ticks_across({{0, "0"}, {25, "25"}, {50, "50"}, {75, "75"}, {100, "100"}});
    const std::size_t lines = std::min(trajectory.labels.size(), trajectory.mean.size());
    for (std::size_t line = 0; line < lines; ++line) {
      const std::string& label = trajectory.labels[line];
      const auto index = static_cast<std::size_t>(std::ranges::find(labels, label) - labels.begin());
      if (index == labels.size()) labels.push_back(label);
      const std::vector<double>& mean = trajectory.mean[line];
      const double last = std::max<double>(1, static_cast<double>(mean.size()) - 1);
      std::vector<std::pair<double, double>> curve;
      std::vector<std::pair<double, Range>> band;
      const auto end_piece = [&] {
        if (curve.size() > 1) {
          plot.band(band, series_colour(index));
          plot.curve(curve, series_class(index));
        }
        curve.clear();
        band.clear();
      };
      for (std::size_t t = 0; t < mean.size(); ++t) {
        if (!std::isfinite(mean[t])) {
          end_piece();  // a gap where the mean is unknown
          continue;
        }
        const double at = 100 * static_cast<double>(t) / last, sem = entry(trajectory.sem, line, t, 0);
        curve.emplace_back(at, mean[t]);
        band.emplace_back(at, Range{mean[t] - sem, mean[t] + sem});
        exhibit.table.rows.push_back({words(name),
                                      words(class_title(label)),
                                      {.text = number(at, 0), .numeric = true, .value = at},
                                      {.text = number(mean[t]), .numeric = true, .value = mean[t]},
                                      {.text = number(sem), .numeric = true, .value = sem}});
      }
      end_piece();
      for (std::size_t t = 0; t < mean.size(); ++t)
        if (std::isfinite(mean[t]))
          plot.dot(100 * static_cast<double>(t) / last, mean[t], 3, "hover-dot " + series_colour(index),
                   fmt::format("{}, {} of training: {} ± {} s.e.m.", class_title(label),
                               percent(static_cast<double>(t) / last), number(mean[t]),
                               number(entry(trajectory.sem, line, t, 0))));
    }
    for (std::size_t a = 0; a < lines; ++a)
      for (std::size_t b = 0; b < lines; ++b) {
        if (trajectory.mean[a].empty() || trajectory.mean[b].empty()) continue;
        const double gap = trajectory.mean[a].back() - trajectory.mean[b].back();
        if (std::isfinite(gap) && gap > widest.value)
          widest = {gap, trajectory.observable, trajectory.labels[a], trajectory.labels[b]};
      }
    exhibit.panels.push_back({name, std::move(plot).finish()});
  }
  if (exhibit.panels.empty()) return std::nullopt;
  for (std::size_t i = 0; i < labels.size(); ++i)
    exhibit.legend.push_back(series_entry(i, class_title(labels[i])));
  if (widest.value > 0)
    exhibit.finding =
        fmt::format("At the end of training, {} and {} lie furthest apart in {}: by {} standard deviations.",
                    class_title(widest.high), class_title(widest.low), observable_name(widest.observable),
                    number(widest.value, 1));
  exhibit.caption =
      "Means over all networks of a class, each the mean of its layers, of the observable z-scored over all "
      "of "
      "them; bands are ± s.e.m. over networks.";
  if (std::ranges::any_of(view.trajectories(), [](const io::Results::MeanTrajectory* one) {
        return measure_title(stats::Measure::layer_change) == observable_title(one->observable).measure;
      }))
    exhibit.caption += std::string(" ") + about_linear_layers;
  return exhibit;
}

}  // namespace lrid::report
