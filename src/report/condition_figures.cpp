// Figures of accuracy under conditions that make identification harder or rule out other explanations.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "charts.hpp"
#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

/// "2 of 2 accuracies are above chance" of rows; the verb agrees.
std::string above_chance(const RowRefs& rows) {
  const auto above = std::ranges::count(against_chance(rows), Comparison::above);
  return fmt::format("{} of {} {} above chance", above, rows.size(), above == 1 ? "is" : "are");
}

/// "0.62 to 0.71" of rows' accuracies, or the one.
std::string accuracy_range(const RowRefs& rows) {
  const double low = lowest(rows)->accuracy.mean, high = highest(rows)->accuracy.mean;
  if (number(low) == number(high)) return number(high);
  return number(low) + " to " + number(high);
}

std::string target_of(const Row& row) {
  std::string target = *condition(row, key::target);
  std::ranges::replace(target, '_', ' ');
  return target;
}

}  // namespace

std::optional<Exhibit> held_out_figure(const View& view) {
  const RowRefs rows = view.with_key(key::held_out);
  if (with_accuracy(rows).empty()) return std::nullopt;
  std::vector<PairedPanel> panels;
  for (const Group& group : by_classifier_and_measure(rows)) {
    panels.push_back({group.heading, {}, common_chance(group.rows)});
    for (const Row* row : group.rows) {
      std::string label = *condition(*row, key::held_out);
      if (condition(*row, key::matched).value_or("false") == "true") label += ", matched";
      const Row* reference = view.reference(*row);
      panels.back().rows.push_back(
          {label, reference == nullptr ? std::nullopt : std::optional(reference->accuracy), row->accuracy});
    }
  }
  Exhibit exhibit{.title = "Accuracy on what was held out of training", .topic = Topic::held_out};
  add_pairs(exhibit, panels, "nothing held out", "held out");
  RowRefs main = headline_rows(with_accuracy(rows));
  main = rows_where(main, [&](const Row& row) { return measure_of(row) == measure_of(*main.front()); });
  std::string kind = view.configured("hold_out").value_or("kind");
  std::ranges::replace(kind, '_', ' ');
  kind = "each " + kind;
  const double level = common_chance(main);
  std::vector<RowPair> costs;
  for (const Row* row : main)
    if (const Row* reference = view.reference(*row); reference != nullptr) costs.push_back({reference, row});
  const auto lowered = std::ranges::count(compare(costs), Comparison::above);
  exhibit.finding = fmt::format(
      "On layers of {} left out of training, the {} reaches an accuracy of {}{}; {}{}.", kind,
      classifier_title(main.front()->classifier), accuracy_range(main),
      std::isfinite(level) ? fmt::format(" (chance {})", chance_text(level)) : "", above_chance(main),
      costs.empty()
          ? ""
          : fmt::format(", {} of {} clearly lower than with nothing held out", lowered, costs.size()));
  exhibit.caption =
      "Accuracy per layer. All networks of one kind are left out of training and are what the test is made "
      "of; hollow dots, where there are any: same data, nothing held out. All splits of a row test the same "
      "networks and count as one. " +
      about_whiskers(rows);
  return exhibit;
}

std::optional<Exhibit> control_figure(const View& view) {
  const RowRefs rows =
      rows_where(view.rows(), [](const Row& row) { return row.condition.contains(key::control); });
  if (with_accuracy(rows).empty()) return std::nullopt;
  // Split by layer, networks are recognised in spite of wrong labels.
  const auto is_shuffled = [](const Row& row) {
    return condition(row, key::control) == io::control_name::shuffled_labels &&
           condition(row, key::split) != io::split_name::sample;
  };
  std::vector<BarPanel> panels;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs own = rows_where(rows, "classifier", classifier);
    BarPanel panel{sentence(classifier_title(classifier)), {}, common_chance(own)};
    for (const Row* row : own) {
      std::string label = control_title(*condition(*row, key::control));
      const std::string measure = condition(*row, key::measure).value_or(io::measure_name::all);
      if (measure != io::measure_name::all && measure != io::measure_name::final_accuracy)
        label += ", " + measure_of(*row);
      if (const auto split = condition(*row, key::split)) label += ", " + split_title(*split);
      panel.bars.push_back({label, row->accuracy, is_shuffled(*row) ? "bar bar-null" : "bar"});
    }
    panels.push_back(std::move(panel));
  }
  Exhibit exhibit{.title = "Controls", .topic = Topic::controls};
  exhibit.legend = {square_entry("bar", "says what simpler features reach"),
                    square_entry("bar bar-null", "should be at chance")};
  add_bars(exhibit, panels);

  const RowRefs shuffled = with_accuracy(rows_where(rows, is_shuffled));
  const std::vector<Comparison> shuffled_against_chance = against_chance(shuffled);
  RowRefs off;
  for (std::size_t i = 0; i < shuffled.size(); ++i)
    if (shuffled_against_chance[i] != Comparison::undecided) off.push_back(shuffled[i]);
  std::vector<std::string> sentences;
  if (!shuffled.empty() && off.empty())
    sentences.push_back(fmt::format("With shuffled labels accuracy is at chance, as it should be ({}).",
                                    accuracy_range(shuffled)));
  else if (!shuffled.empty())
    sentences.push_back(
        fmt::format("With shuffled labels {} of {} accuracies are off chance ({}), which they should not be.",
                    off.size(), shuffled.size(), accuracy_range(off)));
  const RowRefs strict = headline_rows(with_accuracy(view.with_key(key::control)));
  if (const RowRefs final = rows_where(strict, key::control, io::control_name::final_accuracy);
      !final.empty())
    sentences.push_back(fmt::format("A network's final accuracy alone gives the {} {}{}.",
                                    classifier_title(final.front()->classifier),
                                    with_range(final.front()->accuracy),
                                    against_chance(final.front()->accuracy, chance(*final.front()))));
  exhibit.finding = fmt::format("{}", fmt::join(sentences, " "));
  exhibit.caption =
      "What accuracy must be compared with. Final accuracy needs no statistics of layers; shape alone is "
      "what is left of each trajectory once its scale is divided out; scale alone is its norm, mean over "
      "time, "
      "first and last value. Labels are shuffled once, over networks within architecture and task. Split by "
      "layer, a value that all layers of a network share gives the network away, whatever its label: only "
      "shuffled labels split by network should be at chance. " +
      about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> matched_figure(const View& view) {
  const RowRefs rows = rows_where(with_accuracy(view.with_key(key::matched)),
                                  [](const Row& row) { return !row.condition.contains(key::held_out); });
  const RowRefs matched = rows_where(rows, key::matched, "true");
  if (matched.empty()) return std::nullopt;
  const bool several = values_of(matched, key::matched_by).size() > 1;
  std::vector<PairedPanel> panels;
  for (const std::string& classifier : values_of(matched, "classifier")) {
    const RowRefs own = rows_where(matched, "classifier", classifier);
    panels.push_back({sentence(classifier_title(classifier)), {}, common_chance(own)});
    for (const Row* row : own) {
      const RowRefs unmatched = rows_where(rows, [&](const Row& other) {
        return other.classifier == row->classifier && measure_of(other) == measure_of(*row) &&
               condition(other, key::matched_by) == condition(*row, key::matched_by) &&
               condition(other, key::matched) == "false";
      });
      panels.back().rows.push_back(
          {measure_of(*row) + (several ? ", by " + measure_title(*condition(*row, key::matched_by)) : ""),
           unmatched.empty() ? std::nullopt : std::optional(unmatched.front()->accuracy), row->accuracy});
    }
  }
  const std::string by =
      measure_title(condition(*matched.front(), key::matched_by).value_or(io::measure_name::final_accuracy));
  Exhibit exhibit{.title = "Among networks that learned equally well", .topic = Topic::controls};
  add_pairs(exhibit, panels, "as many networks, not matched", several ? "matched" : "matched by " + by);
  const RowRefs main = headline_rows(matched);
  const RowRefs control =
      rows_where(main, key::measure,
                 condition(*matched.front(), key::matched_by).value_or(io::measure_name::final_accuracy));
  const Row& first = *main.front();
  exhibit.finding =
      fmt::format("Among networks of about the same {}, the {} reaches {} from {}{}{}.", by,
                  classifier_title(first.classifier), with_range(first.accuracy), measure_of(first),
                  against_chance(first.accuracy, chance(first)),
                  control.empty() || control.front() == &first
                      ? ""
                      : fmt::format("; from {} alone {}", by, with_range(control.front()->accuracy)));
  exhibit.caption = fmt::format(
                        "Within each architecture and task, only networks whose {} is about the same, "
                        "measured by how much it "
                        "differs between networks trained alike but for their seeds. ",
                        several ? "final accuracy, or loss curve," : by) +
                    about_whiskers(rows);
  return exhibit;
}

std::optional<Exhibit> target_figure(const View& view) {
  const RowRefs rows = view.with_key(key::target);
  if (with_accuracy(rows).empty()) return std::nullopt;
  Exhibit exhibit{.title = "What else the observables give away"};
  add_bars(exhibit, bar_panels(rows, [](const Row& row) {
             return fmt::format("{} (chance {})", target_of(row), chance_text(chance(row)));
           }));
  std::vector<std::string> told;
  const RowRefs main = headline_rows(with_accuracy(rows));
  const std::vector<Comparison> clear = against_chance(main);
  for (std::size_t i = 0; i < main.size(); ++i)
    if (clear[i] == Comparison::above && std::ranges::find(told, target_of(*main[i])) == told.end())
      told.push_back(target_of(*main[i]));
  exhibit.finding = told.empty() ? "Nothing is identified clearly above chance."
                                 : fmt::format("Identified clearly above chance: {}.", enumerate(told));
  exhibit.caption = "Each bar: another known property of the networks is identified. " + about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> observable_group_figure(const View& view) {
  const RowRefs rows = view.with_key(key::observables);
  const RowRefs main = headline_rows(with_accuracy(rows));
  if (main.empty()) return std::nullopt;
  const auto group = [](const Row& row) { return observable_group_title(*condition(row, key::observables)); };
  Exhibit exhibit{.title = "Groups of observables alone"};
  add_bars(exhibit, bar_panels(rows, group));
  const Row *most = highest(main), *least = lowest(main);
  if (compare_extremes(main) == Comparison::above)
    exhibit.finding = fmt::format("Alone, {} ({}) tells clearly more than {} ({}), for the {}.", group(*most),
                                  with_range(most->accuracy), group(*least), with_range(least->accuracy),
                                  classifier_title(most->classifier));
  else
    exhibit.finding =
        fmt::format("No group of observables is clearly ahead of the others ({}).", accuracy_range(main));
  exhibit.caption =
      "Each bar: only the observables that share a function or a statistic. " + about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> portion_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key(key::train_points), [](const Row& row) {
    return condition(row, key::train_points) == condition(row, key::test_points);
  });
  const RowRefs main = headline_rows(with_accuracy(rows));
  if (main.empty()) return std::nullopt;
  const auto points = [](const Row& row) { return *condition(row, key::train_points); };
  Exhibit exhibit{.title = "Accuracy from portions of the trajectory"};
  add_bars(exhibit, bar_panels(rows, points));
  const Row *best = highest(main), *worst = lowest(main);
  exhibit.finding = fmt::format("From portions of the trajectory, the {} reaches {} ({}) to {} ({}).",
                                classifier_title(best->classifier), number(worst->accuracy.mean, 3),
                                points(*worst), number(best->accuracy.mean, 3), points(*best));
  exhibit.caption = "Trained and tested on the same points. " + about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> portion_map_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key(key::train_points),
                                  [](const Row& row) { return row.condition.contains(key::test_points); });
  // Portions of one size, which were tested on each other.
  std::vector<std::vector<std::string>> groups;
  for (const std::string& name : values_of(rows, key::train_points)) {
    const std::vector<std::string> tested =
        values_of(rows_where(rows, key::train_points, name), key::test_points);
    if (tested.size() > 1 && std::ranges::find(groups, tested) == groups.end()) groups.push_back(tested);
  }
  if (groups.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Trained on one portion, tested on another"};
  for (const std::vector<std::string>& group : groups)
    add_accuracy_maps(
        exhibit,
        rows_where(rows,
                   [&](const Row& row) {
                     return std::ranges::find(group, *condition(row, key::train_points)) != group.end() &&
                            std::ranges::find(group, *condition(row, key::test_points)) != group.end();
                   }),
        key::train_points, key::test_points, "trained on", "tested on");
  exhibit.caption =
      "Mean accuracy per layer over the splits. On the diagonal: trained and tested on the same points.";
  return exhibit;
}

std::optional<Exhibit> imperfection_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key(key::unit_fraction),
                                  [](const Row& row) { return row.condition.contains(key::noise); });
  const RowRefs main = headline_rows(with_accuracy(rows));
  if (main.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Accuracy under noise and with few units"};
  add_accuracy_maps(exhibit, rows, key::noise, key::unit_fraction, "noise (standard deviation)",
                    "fraction of units measured");
  const Row *best = highest(main), *worst = lowest(main);
  if (best != worst)
    exhibit.finding = fmt::format(
        "Measured imperfectly, accuracy falls from {} to as low as {} (noise {}, {} of the units).",
        number(best->accuracy.mean, 3), number(worst->accuracy.mean, 3), *condition(*worst, key::noise),
        *condition(*worst, key::unit_fraction));
  exhibit.caption =
      "Noise is added to every measured value, then a fraction of the units is kept; training and test "
      "alike. Mean "
      "accuracy per layer over the splits.";
  return exhibit;
}

std::optional<Exhibit> transfer_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key(key::train_on),
                                  [](const Row& row) { return row.condition.contains(key::test_on); });
  const RowRefs across = headline_rows(rows_where(with_accuracy(rows), [](const Row& row) {
    return condition(row, key::train_on) != condition(row, key::test_on);
  }));
  if (across.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Trained on one kind, tested on another", .topic = Topic::held_out};
  add_accuracy_maps(exhibit, rows, key::train_on, key::test_on, "trained on", "tested on");
  exhibit.finding =
      fmt::format("From one kind of network to another, the {} reaches {}; {}.",
                  classifier_title(across.front()->classifier), accuracy_range(across), above_chance(across));
  exhibit.caption =
      "Mean accuracy per layer over the splits. On the diagonal: other networks of the same kind.";
  return exhibit;
}

std::optional<Exhibit> learning_curve_figure(const View& view) {
  const RowRefs rows = rows_where(with_accuracy(view.with_key(key::train_networks)), [](const Row& row) {
    return numeric_condition(row, key::train_networks).value_or(0) > 0;
  });
  if (rows.empty()) return std::nullopt;
  const auto networks = [](const Row* row) { return *numeric_condition(*row, key::train_networks); };
  const auto [fewest, most] = std::ranges::minmax(rows, {}, networks);
  const double low = std::log(networks(fewest)), high = std::log(networks(most));
  const double margin = 0.04 * std::max(high - low, 0.1);
  std::vector<std::string> measures = values_of(rows, key::measure);
  if (measures.empty()) measures.emplace_back();
  const std::vector<std::string> classifiers = values_of(rows, "classifier");

  Exhibit exhibit{.title = "Accuracy and the number of training networks"};
  exhibit.table.header = {words("measure"), words("classifier"), number_title("training networks"),
                          number_title("accuracy")};
  for (const std::string& measure : measures) {
    const RowRefs of_measure = rows_where(rows, key::measure, measure);
    const std::string heading = sentence(measure_of(*of_measure.front()));
    Plot plot({.low = low - margin, .high = high + margin, .title = "training networks (logarithmic)"}, {},
              exhibit.title + ", " + heading);
    if (const double level = common_chance(of_measure); std::isfinite(level)) plot.level(level);
    std::vector<std::pair<double, std::string>> ticks;
    for (const Row* row : of_measure)
      ticks.emplace_back(std::log(networks(row)), text_of(row->condition.at(key::train_networks)));
    std::ranges::sort(ticks);
    ticks.erase(std::unique(ticks.begin(), ticks.end()), ticks.end());
    plot.ticks_across(ticks);
    for (std::size_t c = 0; c < classifiers.size(); ++c) {
      const RowRefs own = rows_where(of_measure, "classifier", classifiers[c]);
      std::vector<std::pair<double, double>> curve;
      for (const Row* row : own) curve.emplace_back(std::log(networks(row)), row->accuracy.mean);
      plot.curve(curve, series_class(c));
      for (const Row* row : own) {
        const double x = std::log(networks(row));
        if (const auto range = range_of(row->accuracy)) plot.whisker(x, *range);
        plot.dot(x, row->accuracy.mean, 4, "series-dot " + series_colour(c),
                 mark_title(fmt::format("{}, {} networks", classifier_title(classifiers[c]), networks(row)),
                            row->accuracy));
        exhibit.table.rows.push_back({words(heading), words(classifier_title(classifiers[c])),
                                      whole_number(std::llround(networks(row))),
                                      figure_entry(row->accuracy)});
      }
    }
    exhibit.panels.push_back({heading, std::move(plot).finish()});
  }
  for (std::size_t c = 0; c < classifiers.size(); ++c)
    exhibit.legend.push_back(series_entry(c, classifier_title(classifiers[c])));
  RowRefs main = headline_rows(rows);
  main = rows_where(main, [&](const Row& row) { return measure_of(row) == measure_of(*main.front()); });
  const auto [first, last] = std::ranges::minmax(main, {}, networks);
  exhibit.finding = fmt::format("With {} training networks the {} reaches {}, with {} {}.", networks(first),
                                classifier_title(first->classifier), with_range(first->accuracy),
                                networks(last), with_range(last->accuracy));
  exhibit.caption =
      "Growing shares of the training networks, the same test part: a curve that still rises says that more "
      "networks "
      "would help. Accuracy per layer; whiskers as in the other figures; the line across is chance.";
  return exhibit;
}

}  // namespace lrid::report
