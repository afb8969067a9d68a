// Figures about the observables themselves: which ones matter, and how they run.

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "figures.hpp"
#include "markup.hpp"
#include "panels.hpp"
#include "svg.hpp"

namespace lrid::report {
namespace {

struct Importance {
  std::string name;
  double value;
  std::string css_class;
};

/// What an observable measures, by the beginning of its name; its place in this list is its CSS class.
constexpr std::pair<std::string_view, std::string_view> kinds[] = {
    {"weight", "weights"}, {"act", "activations"}, {"gradavg", "layer-wise change"}};

std::size_t kind_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kinds); ++i)
    if (name.starts_with(kinds[i].first)) return i;
  return std::size(kinds);
}

std::string kind_class(std::size_t kind) {
  return fmt::format("kind-{}", kind);
}

/// Of each observable, added up over its points in time ("weightabs_median@3"), the largest first.
std::vector<Importance> by_observable(const std::map<std::string, double>& importances) {
  std::map<std::string, double> sums;
  for (const auto& [name, value] : importances)
    if (std::isfinite(value)) sums[name.substr(0, name.find('@'))] += value;
  std::vector<Importance> sorted;
  for (const auto& [name, value] : sums) sorted.push_back({name, value, kind_class(kind_of(name))});
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &Importance::value);
  return sorted;
}

std::string importance_bars(const std::vector<Importance>& bars, double largest, std::string_view label) {
  constexpr double row_height = 20, bar_height = 11, value_width = 44;
  std::vector<std::string> names;
  for (const Importance& bar : bars) names.push_back(bar.name);
  const double left = label_width(names, Svg::font_size, 168);
  Svg svg(panel_width, row_height * static_cast<double>(bars.size()) + 4, label);
  const Scale x{0, largest, left, panel_width - value_width};
  double y = 2 + row_height / 2;
  for (const Importance& bar : bars) {
    svg.text({left - 8, y + 4}, shorten(bar.name, Svg::font_size, left - 6), "", Anchor::end);
    svg.rect({left, y - bar_height / 2}, x(std::max(0.0, bar.value)) - left, bar_height, bar.css_class,
             fmt::format("{}: {}", bar.name, number(bar.value, 4)), 1, 1.5);
    svg.text({panel_width - 2, y + 4}, number(bar.value, 3), "value", Anchor::end);
    y += row_height;
  }
  return svg.str();
}

}  // namespace

std::optional<Exhibit> importance_figure(const View& view) {
  constexpr std::size_t most_shown = 12;
  RowRefs rows = rows_where(view.plain_strict(), [](const Row& row) { return !row.importances.empty(); });
  const RowRefs main = rows_where(rows, "measure", view.main_measure());
  if (!main.empty()) rows = main;
  std::string html, groups;
  std::vector<std::size_t> kinds_seen;
  Exhibit exhibit{.title = "What carries the decision", .html = ""};
  for (const Row* row : rows) {
    const std::vector<Importance> all = by_observable(row->importances);
    if (all.empty() || all.front().value <= 0) continue;
    const std::vector<Importance> shown(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(most_shown, all.size())));
    const std::string name = sentence(classifier_title(row->classifier));
    html += panel(fmt::format("{}: top {} of {}", name, shown.size(), all.size()),
                  importance_bars(shown, all.front().value, "Most important observables, " + name));
    double total = 0;
    std::vector<Importance> shares;
    std::map<std::string, double> by_statistic, by_function;
    for (std::size_t kind = 0; kind <= std::size(kinds); ++kind) {
      double sum = 0;
      std::size_t members = 0;
      for (const Importance& one : all)
        if (kind_of(one.name) == kind) {
          sum += one.value;
          ++members;
          if (kind == std::size(kinds)) continue;
          const std::size_t underscore = one.name.find('_'), function = kinds[kind].first.size();
          by_statistic[one.name.substr(underscore + 1)] += one.value;
          by_function[one.name.substr(function, underscore - function)] += one.value;
        }
      total += sum;
      if (members == 0) continue;
      if (std::ranges::find(kinds_seen, kind) == kinds_seen.end()) kinds_seen.push_back(kind);
      if (kind < std::size(kinds))
        shares.push_back({fmt::format("{} ({})", kinds[kind].second, members), sum, kind_class(kind)});
    }
    if (exhibit.finding.empty()) {
      std::vector<std::string> top;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, shown.size()); ++i) top.push_back(shown[i].name);
      exhibit.finding =
          fmt::format("The {} relies most on {}.", classifier_title(row->classifier), enumerate(top));
      if (shares.size() > 1) {
        const auto heaviest = std::ranges::max_element(shares, {}, &Importance::value);
        exhibit.caption = fmt::format("Together, {} carry {}\u202f% of its importance. ",
                                      heaviest->name.substr(0, heaviest->name.find(" (")),
                                      number(100 * heaviest->value / total, 0));
      }
    }
    for (const auto& [grouping, sums] : {std::pair{"statistic", &by_statistic}, {"function", &by_function}}) {
      std::vector<Importance> grouped;
      for (const auto& [group, sum] : *sums) grouped.push_back({group, sum, "bar"});
      std::ranges::stable_sort(grouped, std::ranges::greater{}, &Importance::value);
      if (grouped.size() > 1)
        html += panel(fmt::format("{}: by {}", name, grouping),
                      importance_bars(grouped, grouped.front().value,
                                      fmt::format("Importance by {}, {}", grouping, name)));
    }
    if (shares.size() > 1) {
      for (Importance& share : shares) share.value /= total;
      double largest = 0;
      for (const Importance& share : shares) largest = std::max(largest, share.value);
      groups = importance_bars(shares, largest, "Share of importance by measure, " + name);
      html += panel(name + ": share by measure", groups);
    }
  }
  if (html.empty()) return std::nullopt;
  std::ranges::sort(kinds_seen);
  std::vector<LegendEntry> keys;
  for (const std::size_t kind : kinds_seen)
    keys.push_back({dot_key(kind_class(kind)),
                    kind < std::size(kinds) ? std::string(kinds[kind].second) : "layer position and others"});
  exhibit.html = legend(keys) + panels(html);
  exhibit.caption +=
      "Importances are means over the splits, each observable's added up over its points in time; for a "
      "forest, the "
      "mean decrease of Gini impurity. Observables that repeat each other share theirs.";
  return exhibit;
}

std::optional<Exhibit> permutation_figure(const View& view) {
  constexpr std::size_t most_shown = 12;
  Exhibit exhibit{.title = "What is lost without an observable", .html = ""};
  std::string html;
  for (const Row* row : view.plain_strict()) {
    std::vector<Importance> observables, measures;
    for (const auto& [name, figure] : row->extra) {
      if (!name.starts_with(permuted_prefix) || !std::isfinite(figure.mean)) continue;
      const std::string group = name.substr(permuted_prefix.size());
      const bool whole = group == "weight" || group == "activation" || group == "layer_change";
      const std::size_t kind = group == "layer_change" ? kind_of("gradavg") : kind_of(group);
      (whole ? measures : observables)
          .push_back({whole ? measure_title(group) : group, figure.mean, kind_class(kind)});
    }
    if (observables.empty()) continue;
    const std::string name = sentence(classifier_title(row->classifier));
    for (auto& [what, bars] : {std::pair{"observables", &observables}, {"whole measures", &measures}}) {
      std::ranges::stable_sort(*bars, std::ranges::greater{}, &Importance::value);
      if (bars->size() > most_shown) bars->resize(most_shown);
      if (bars->empty()) continue;
      html += panel(fmt::format("{}: {}", name, what),
                    importance_bars(*bars, std::max(bars->front().value, 1e-9),
                                    fmt::format("Accuracy lost, {}, {}", what, name)));
    }
    if (exhibit.finding.empty())
      exhibit.finding = fmt::format(
          "Permuted among the test samples, {} costs the {} most: {} of its accuracy.",
          observables.front().name, classifier_title(row->classifier), number(observables.front().value, 3));
  }
  if (html.empty()) return std::nullopt;
  exhibit.html = panels(html);
  exhibit.caption =
      "By how much the accuracy falls when an observable's trajectories, or a measure's, change places among "
      "the test "
      "samples; means over the splits. What others repeat costs little alone.";
  return exhibit;
}

std::optional<Exhibit> trajectory_figure(const View& view) {
  constexpr double height = 210, left = 52, bottom = 34, top = 8, right = 10;
  std::string html;
  std::vector<std::string> labels;
  struct Gap {
    double value = -1;
    std::string observable, high, low;
  } widest;
  for (const io::Results::MeanTrajectory* shown : view.trajectories()) {
    const io::Results::MeanTrajectory& trajectory = *shown;
    double low = INFINITY, high = -INFINITY;
    const std::size_t lines = std::min(trajectory.labels.size(), trajectory.mean.size());
    const auto sem = [&](std::size_t line, std::size_t t) {
      const bool known = line < trajectory.sem.size() && t < trajectory.sem[line].size();
      return known && std::isfinite(trajectory.sem[line][t]) ? trajectory.sem[line][t] : 0.0;
    };
    for (std::size_t line = 0; line < lines; ++line)
      for (std::size_t t = 0; t < trajectory.mean[line].size(); ++t) {
        if (!std::isfinite(trajectory.mean[line][t])) continue;
        low = std::min(low, trajectory.mean[line][t] - sem(line, t));
        high = std::max(high, trajectory.mean[line][t] + sem(line, t));
      }
    if (!std::isfinite(low)) continue;
    if (high - low < 1e-9) {
      low -= 0.5;
      high += 0.5;
    }
    const double margin = 0.05 * (high - low);
    Svg svg(panel_width, height, "Mean trajectories of " + trajectory.observable);
    const Scale y{low - margin, high + margin, height - bottom, top};
    const Scale x{0, 100, left, panel_width - right};
    const std::vector<double> levels = ticks(low - margin, high + margin, 6);
    for (const double level : levels) {
      svg.line({left, y(level)}, {panel_width - right, y(level)}, "grid");
      svg.text({left - 6, y(level) + 4}, number(level, tick_decimals(levels)), "small", Anchor::end);
    }
    for (const double percent : {0.0, 25.0, 50.0, 75.0, 100.0})
      svg.text({x(percent), height - bottom + 15}, number(percent, 0), "small",
               percent == 100 ? Anchor::end : Anchor::middle);
    svg.text({12, (top + height - bottom) / 2}, "z-score", "small", Anchor::middle, -90);
    svg.text({x(50), height - 4}, "% of training", "small", Anchor::middle);
    for (std::size_t line = 0; line < lines; ++line) {
      const std::string& name = trajectory.labels[line];
      std::size_t index = static_cast<std::size_t>(std::ranges::find(labels, name) - labels.begin());
      if (index == labels.size()) labels.push_back(name);
      const std::vector<double>& mean = trajectory.mean[line];
      const auto at = [&](std::size_t t) {
        return mean.size() < 2 ? x(0)
                               : x(100.0 * static_cast<double>(t) / static_cast<double>(mean.size() - 1));
      };
      // A gap where the mean is unknown: separate pieces.
      for (std::size_t begin = 0; begin < mean.size();) {
        std::size_t end = begin;
        std::vector<Point> curve, band;
        for (; end < mean.size() && std::isfinite(mean[end]); ++end) {
          curve.push_back({at(end), y(mean[end])});
          band.push_back({at(end), y(mean[end] + sem(line, end))});
        }
        for (std::size_t t = end; t-- > begin;) band.push_back({at(t), y(mean[t] - sem(line, t))});
        if (curve.size() > 1) {
          svg.polygon(band, fmt::format("band series-{}", index % 8));
          svg.polyline(curve, "curve " + series_class(index));
        } else if (curve.size() == 1) {
          svg.circle(curve.front(), 3, fmt::format("point series-{}", index % 8));
        }
        begin = end + 1;
      }
    }
    for (std::size_t a = 0; a < lines; ++a)
      for (std::size_t b = 0; b < lines; ++b) {
        if (trajectory.mean[a].empty() || trajectory.mean[b].empty()) continue;
        const double gap = trajectory.mean[a].back() - trajectory.mean[b].back();
        if (std::isfinite(gap) && gap > widest.value)
          widest = {gap, trajectory.observable, trajectory.labels[a], trajectory.labels[b]};
      }
    html += panel(trajectory.observable, svg.str());
  }
  if (html.empty()) return std::nullopt;
  std::vector<LegendEntry> keys;
  for (std::size_t i = 0; i < labels.size(); ++i) keys.push_back({series_key(i), labels[i]});
  Exhibit exhibit{.title = "How the most important observables run", .html = legend(keys) + panels(html)};
  if (widest.value > 0)
    exhibit.finding =
        fmt::format("At the end of training {} and {} lie furthest apart in {}: {} standard deviations.",
                    widest.high, widest.low, widest.observable, number(widest.value, 1));
  exhibit.caption =
      "Mean over all layers and networks of a rule, of the observable z-scored over all samples; bands are ± "
      "s.e.m. "
      "Means of different layers and settings overlap more than these bands suggest.";
  return exhibit;
}

}  // namespace lrid::report
