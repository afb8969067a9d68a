// Figures of what goes beyond accuracy under one condition: verdicts per network, calibration, unknown
// classes, learning curves, matched networks, other targets, groups of observables.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "figures.hpp"
#include "markup.hpp"
#include "panels.hpp"
#include "svg.hpp"

namespace lrid::report {
namespace {

/// A figure of a row's `extra`; nothing if it has none of that name with a finite mean.
std::optional<io::Figure> extra(const Row& row, const std::string& name) {
  const auto found = row.extra.find(name);
  if (found == row.extra.end() || !std::isfinite(found->second.mean)) return std::nullopt;
  return found->second;
}

/// The frame of a chart of accuracy, or of something else between 0 and 1, with its ticks.
struct Chart {
  static constexpr double height = 210, left = 40, bottom = 34, top = 8, right = 10;
  Svg svg;
  Scale y{0, 1, height - bottom, top};

  Chart(std::string_view label, std::string_view across, std::string_view up)
      : svg(panel_width, height, label) {
    for (const double level : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      svg.line({left, y(level)}, {panel_width - right, y(level)}, "grid");
      svg.text({left - 6, y(level) + 4}, number(level), "small", Anchor::end);
    }
    svg.text({(left + panel_width - right) / 2, height - 4}, across, "small", Anchor::middle);
    if (!up.empty()) svg.text({10, (top + height - bottom) / 2}, up, "small", Anchor::middle, -90);
  }
};

}  // namespace

std::optional<Exhibit> network_figure(const View& view) {
  std::vector<BarPanel> all;
  const Row* best = nullptr;
  for (const Row* row : view.main_rows()) {
    const auto network = extra(*row, "network_accuracy");
    if (!network) continue;
    all.push_back({sentence(classifier_title(row->classifier)),
                   {{"one layer", row->accuracy, "bar bar-muted"}, {"all layers of a network", *network}},
                   chance(*row)});
    if (best == nullptr || network->mean > extra(*best, "network_accuracy")->mean) best = row;
  }
  if (best == nullptr) return std::nullopt;
  Exhibit exhibit{.title = "Verdicts on whole networks", .html = bar_panels(all, "Accuracy of verdicts")};
  const io::Figure network = *extra(*best, "network_accuracy");
  exhibit.finding = fmt::format(
      "From all layers of a network together the {} names the rule in {} of the cases, from one layer in {}.",
      classifier_title(best->classifier), with_error(network), with_error(best->accuracy));
  exhibit.caption = fmt::format(
      "The layers' calibrated probabilities are multiplied, and calibrated again on networks held out from "
      "training. {}.",
      how_to_read);
  return exhibit;
}

std::optional<Exhibit> reliability_figure(const View& view) {
  constexpr double fewest = 5;  // of a dot that is drawn
  std::string html;
  std::vector<std::string> errors;
  for (const Row* row : view.main_rows()) {
    double total = 0;
    for (const io::ReliabilityBin& bin : row->reliability) total += bin.count;
    if (total == 0) continue;
    const std::string name = sentence(classifier_title(row->classifier));
    Chart chart("Reliability curve, " + name, "confidence", "share right");
    const Scale x{0, 1, Chart::left, panel_width - Chart::right};
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0})
      chart.svg.text({x(tick), Chart::height - Chart::bottom + 15}, number(tick), "small",
                     tick == 1 ? Anchor::end : Anchor::middle);
    chart.svg.line({x(0), chart.y(0)}, {x(1), chart.y(1)}, "chance");
    std::vector<Point> curve;
    for (const io::ReliabilityBin& bin : row->reliability) {
      if (bin.count < fewest) continue;
      const Point at{x(bin.confidence / bin.count), chart.y(bin.right / bin.count)};
      curve.push_back(at);
      chart.svg.circle(
          at, 2.5 + 9 * std::sqrt(bin.count / total), "dot",
          fmt::format("confidence {}: right in {} of {} cases", number(bin.confidence / bin.count),
                      number(bin.right, 0), number(bin.count, 0)));
    }
    chart.svg.polyline(curve, "curve series-0");
    html += panel(name, chart.svg.str());
    if (const auto error = extra(*row, "calibration_error"))
      errors.push_back(fmt::format("{} {}", classifier_title(row->classifier), with_error(*error)));
  }
  if (html.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Do probabilities mean what they say", .html = panels(html)};
  if (!errors.empty()) exhibit.finding = fmt::format("Expected calibration error: {}.", enumerate(errors));
  exhibit.caption =
      "Test samples by the probability of the predicted class: on the diagonal, a verdict given with 0.8 is "
      "right in 80 "
      "of 100 cases. Larger dots: more samples; added up over the splits.";
  return exhibit;
}

std::optional<Exhibit> novelty_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key("unknown"),
                                  [](const Row& row) { return extra(row, "auroc_novelty").has_value(); });
  if (rows.empty()) return std::nullopt;
  const Row *best = rows.front(), *worst = rows.front();
  const auto score = [](const Row& row) {
    return extra(row, "network_auroc").value_or(*extra(row, "auroc_novelty")).mean;
  };
  for (const Row* row : rows) {
    if (score(*row) > score(*best)) best = row;
    if (score(*row) < score(*worst)) worst = row;
  }
  std::vector<BarPanel> all = bar_panels_of(rows, [](const RowRefs& own) {
    std::vector<Bar> bars;
    for (const Row* row : own) {
      const std::string unknown = *condition(*row, "unknown");
      bars.push_back({unknown + ", one layer", *extra(*row, "auroc_novelty"), "bar bar-muted"});
      if (const auto network = extra(*row, "network_auroc"))
        bars.push_back({unknown + ", whole network", *network});
    }
    return bars;
  });
  for (BarPanel& one : all) one.chance = 0.5;
  std::vector<std::vector<Cell>> body;
  for (const Row* row :
       rows_where(view.rows(), [](const Row& one) { return one.condition.contains("unknown"); })) {
    const auto cell = [&](const char* name) {
      const auto figure = extra(*row, name);
      return Cell{figure ? with_error(*figure) : "", true};
    };
    body.push_back({{escape(classifier_title(row->classifier)), false},
                    {escape(*condition(*row, "unknown")), false},
                    {escape(split_title(condition(*row, "split").value_or(""))), false},
                    cell("auroc_uncertainty"),
                    cell("auroc_distance"),
                    cell("auroc_novelty"),
                    cell("network_auroc"),
                    cell("known_refused"),
                    cell("unknown_refused"),
                    cell("network_known_refused"),
                    cell("network_unknown_refused")});
  }
  Exhibit exhibit{.title = "None of these: rules never trained on",
                  .html = bar_panels(all, "AUROC of novelty") + table({{"classifier", false},
                                                                       {"unknown", false},
                                                                       {"split", false},
                                                                       {"AUROC by uncertainty", true},
                                                                       {"by distance", true},
                                                                       {"by both", true},
                                                                       {"of networks", true},
                                                                       {"known refused", true},
                                                                       {"unknown refused", true},
                                                                       {"known networks refused", true},
                                                                       {"unknown networks refused", true}},
                                                                      body)};
  exhibit.finding = fmt::format("Of rules never trained on, {} is noticed best (AUROC {}) and {} worst ({}).",
                                *condition(*best, "unknown"), number(score(*best)),
                                *condition(*worst, "unknown"), number(score(*worst)));
  exhibit.caption =
      "Area under the ROC curve: how often a sample of the unknown rule seems odder than one of the known "
      "ones; 0.5 is "
      "guessing. Odd is what lies between the classes (uncertainty) or far from all training samples "
      "(distance), by "
      "the rank among samples held out from training.";
  return exhibit;
}

std::optional<Exhibit> learning_curve_figure(const View& view) {
  const RowRefs rows = view.with_key("train_networks");
  const Row* best = highest(rows);
  if (best == nullptr) return std::nullopt;
  const std::vector<std::string> classifiers = values_of(rows, "classifier"),
                                 measures = values_of(rows, "measure");
  double fewest = INFINITY, most = 0;
  for (const Row* row : rows) {
    fewest = std::min(fewest, *numeric_condition(*row, "train_networks"));
    most = std::max(most, *numeric_condition(*row, "train_networks"));
  }
  std::string html;
  for (const std::string& measure : measures) {
    Chart chart("Accuracy over training networks, " + measure_title(measure), "networks trained on", "");
    const Scale x{std::log(fewest), std::log(std::max(most, fewest * 1.01)), Chart::left + 8,
                  panel_width - Chart::right - 8};
    const double level = common_chance(rows);
    if (std::isfinite(level))
      chart.svg.line({Chart::left, chart.y(level)}, {panel_width - Chart::right, chart.y(level)}, "chance");
    double last_label = -INFINITY;
    for (const std::string& networks : values_of(rows, "train_networks")) {
      const double at = x(std::log(std::stod(networks)));
      if (at - last_label < 26) continue;
      last_label = at;
      chart.svg.text({at, Chart::height - Chart::bottom + 15}, networks, "small", Anchor::middle);
    }
    for (std::size_t c = 0; c < classifiers.size(); ++c) {
      std::vector<Point> curve;
      for (const Row* row : rows_where(rows_where(rows, "classifier", classifiers[c]), "measure", measure)) {
        if (!std::isfinite(row->accuracy.mean)) continue;
        const double at = x(std::log(*numeric_condition(*row, "train_networks")));
        const std::string series = fmt::format("point series-{}", c % 8);
        curve.push_back({at, chart.y(row->accuracy.mean)});
        chart.svg.circle(curve.back(), 3.5, series,
                         fmt::format("{}, {} networks: {}", classifier_title(classifiers[c]),
                                     *condition(*row, "train_networks"), with_error(row->accuracy, 3)));
        if (std::isfinite(row->accuracy.sem))
          chart.svg.line({at, chart.y(row->accuracy.mean - row->accuracy.sem)},
                         {at, chart.y(std::min(1.0, row->accuracy.mean + row->accuracy.sem))}, "whisker");
      }
      chart.svg.polyline(curve, "curve " + series_class(c));
    }
    html += panel(sentence(measure_title(measure)), chart.svg.str());
  }
  std::vector<LegendEntry> keys;
  for (std::size_t c = 0; c < classifiers.size(); ++c)
    keys.push_back({series_key(c), classifier_title(classifiers[c])});
  Exhibit exhibit{.title = "How many networks does it take", .html = legend(keys) + panels(html)};
  const RowRefs own = rows_where(rows_where(rows, "classifier", best->classifier), "measure",
                                 condition(*best, "measure").value_or(""));
  exhibit.finding = fmt::format("With {} training networks the {} reaches {}, with {} {}.",
                                *condition(*own.front(), "train_networks"),
                                classifier_title(best->classifier), with_error(own.front()->accuracy),
                                *condition(*own.back(), "train_networks"), with_error(own.back()->accuracy));
  exhibit.caption =
      "Growing shares of the training networks, the same test part: a curve that still rises says that more "
      "networks "
      "would help. Means over the splits ± s.e.m.; the line across is chance.";
  return exhibit;
}

std::optional<Exhibit> matched_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key("matched"),
                                  [](const Row& row) { return !row.condition.contains("held_out"); });
  if (highest(rows) == nullptr) return std::nullopt;
  std::vector<BarPanel> all;
  const Row *best = nullptr, *control = nullptr;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs of_classifier = rows_where(rows, "classifier", classifier);
    BarPanel one{sentence(classifier_title(classifier)), {}, common_chance(of_classifier)};
    for (const std::string& measure : values_of(of_classifier, "measure"))
      for (const Row* row : rows_where(of_classifier, "measure", measure)) {
        const bool is_matched = *condition(*row, "matched") == "true";
        one.bars.push_back({measure_of(*row) + (is_matched ? ", matched" : ", as many unmatched"),
                            row->accuracy, is_matched ? "bar" : "bar bar-muted"});
        if (!is_matched) continue;
        const Row*& place = measure == "final_accuracy" ? control : best;
        if (place == nullptr || row->accuracy.mean > place->accuracy.mean) place = row;
      }
    all.push_back(std::move(one));
  }
  Exhibit exhibit{.title = "Among networks that learned equally well",
                  .html = bar_panels(all, "Accuracy, matched")};
  if (best != nullptr)
    exhibit.finding = fmt::format(
        "Among networks of about the same final accuracy, {} tell the rules apart with {}{}{}.",
        measure_of(*best), with_error(best->accuracy), against_chance(best->accuracy, chance(*best)),
        control == nullptr
            ? ""
            : fmt::format("; the final accuracy alone gives {}", with_error(control->accuracy)));
  exhibit.caption = fmt::format(
      "Within each architecture and task only networks whose final accuracy lies in one narrow band; pale: "
      "as many "
      "networks of each class whatever their accuracy. {}.",
      how_to_read);
  return exhibit;
}

std::optional<Exhibit> target_figure(const View& view) {
  const RowRefs rows = view.with_key("target");
  if (highest(rows) == nullptr) return std::nullopt;
  const auto target_of = [](const Row& row) {
    std::string target = *condition(row, "target");
    std::ranges::replace(target, '_', ' ');
    return target;
  };
  std::vector<std::string> given_away;
  for (const Row* row : rows)
    if (clearly_above(row->accuracy, chance(*row)) &&
        std::ranges::find(given_away, target_of(*row)) == given_away.end())
      given_away.push_back(target_of(*row));
  const std::vector<BarPanel> all = bar_panels_of(rows, [&](const RowRefs& own) {
    std::vector<Bar> bars;
    for (const Row* row : own)
      bars.push_back(
          {fmt::format("{}, chance {}", target_of(*row), chance_text(chance(*row))), row->accuracy});
    return bars;
  });
  Exhibit exhibit{.title = "What else the observables give away",
                  .html = bar_panels(all, "Accuracy by target")};
  exhibit.finding = given_away.empty()
                        ? "Nothing is identified clearly above chance."
                        : fmt::format("Identified clearly above chance: {}.", enumerate(given_away));
  exhibit.caption = fmt::format(
      "Each bar: another column of what is known of the networks is identified. {}.", how_to_read);
  return exhibit;
}

std::optional<Exhibit> observable_group_figure(const View& view) {
  const RowRefs rows = view.with_key("observables");
  const Row *best = highest(rows), *worst = lowest(rows);
  if (best == nullptr) return std::nullopt;
  Exhibit exhibit{
      .title = "Groups of observables alone",
      .html = bar_panels(bar_panels_of(rows, "observables"), "Accuracy from a group of observables")};
  exhibit.finding =
      fmt::format("Alone, {} say most ({}) and {} least ({}).", *condition(*best, "observables"),
                  with_error(best->accuracy), *condition(*worst, "observables"), with_error(worst->accuracy));
  exhibit.caption = fmt::format(
      "Each bar: only the observables that share a function (raw, abs, sq) or a statistic. {}; the line "
      "across is chance.",
      how_to_read);
  return exhibit;
}

}  // namespace lrid::report
