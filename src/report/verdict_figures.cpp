// Figures of single verdicts: which classes are confused, how far confidence can be trusted, what is refused.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "charts.hpp"
#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

using Counts = std::vector<std::vector<std::int64_t>>;

/// A row's confusion matrix summed over splits; empty where it has none of the right shape.
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

/// The confusion matrix as shares of each actual class.
HeatMap confusion_map(const Row& row, const Counts& total) {
  HeatMap map{.heading = sentence(classifier_title(row.classifier)),
              .row_labels = {},
              .column_labels = row.labels,
              .row_title = "actual",
              .column_title = "named"};
  for (const std::string& label : row.labels) map.row_labels.push_back(class_title(label));
  for (const std::vector<std::int64_t>& counts : total) {
    std::int64_t sum = 0;
    for (const std::int64_t entry : counts) sum += entry;
    map.value.emplace_back();
    map.text.emplace_back();
    map.detail.emplace_back();
    for (const std::int64_t entry : counts) {
      const double share = sum == 0 ? std::nan("") : static_cast<double>(entry) / static_cast<double>(sum);
      map.value.back().push_back(share);
      map.text.back().push_back(total.size() > 5 && sum != 0 ? number(100 * share, 0) : percent(share));
      map.detail.back().push_back(count(entry));
    }
  }
  return map;
}

}  // namespace

std::optional<Exhibit> confusion_figure(const View& view) {
  Exhibit exhibit{.title = "Which classes are taken for which", .topic = Topic::confusions};
  if (view.target() == "learning rule") exhibit.title = "Which rules are taken for which";
  const std::string headline = headline_classifier(view.main_rows());
  bool many = false;
  for (const Row* row : view.main_rows()) {
    const Counts total = total_confusion(*row);
    if (total.empty()) continue;
    many |= total.size() > 5;
    const HeatMap map = confusion_map(*row, total);
    add_heat_map(exhibit, map, "share of the actual class");
    if (row->classifier != headline) continue;
    double most = -1;
    std::pair<std::size_t, std::size_t> worst;
    for (std::size_t i = 0; i < map.value.size(); ++i)
      for (std::size_t j = 0; j < map.value.size(); ++j)
        if (i != j && map.value[i][j] > most) {
          most = map.value[i][j];
          worst = {i, j};
        }
    if (most > 0)
      exhibit.finding =
          fmt::format("The most frequent confusion: the {} takes {} for {} in {} of its layers.",
                      classifier_title(row->classifier), class_title(row->labels[worst.first]),
                      class_title(row->labels[worst.second]), percent(most));
    else if (most == 0)
      exhibit.finding =
          fmt::format("The {} never takes one class for another.", classifier_title(row->classifier));
  }
  if (exhibit.panels.empty()) return std::nullopt;
  exhibit.legend = {colour_bar("share of the actual class's layers", "0", "100\u202f%")};
  exhibit.caption = fmt::format(
      "How the layers of each class were named{}; a row adds up to 100\u202f%{}, small: "
      "verdicts, summed over the splits.",
      view.main_measure().empty() ? "" : ", from " + measure_title(view.main_measure()),
      many ? " (numbers in per cent)" : "");
  return exhibit;
}

std::optional<Exhibit> pair_figure(const View& view) {
  const RowRefs rows = view.with_key(key::pair);
  const RowRefs main = headline_rows(with_accuracy(rows));
  if (main.empty()) return std::nullopt;
  std::vector<std::string> names, titles;
  for (const Row* row : rows)
    for (const std::string& label : row->labels)
      if (std::ranges::find(names, label) == names.end()) names.push_back(label);
  for (const std::string& name : names) titles.push_back(class_title(name));
  Exhibit exhibit{.title = "Pairs of classes without the others"};
  exhibit.legend = {colour_bar("accuracy between the two", "0.5", "1")};
  for (const Group& group : by_classifier_and_measure(rows)) {
    HeatMap map{.heading = group.heading,
                .row_labels = titles,
                .column_labels = names,
                .row_title = "",
                .column_title = ""};
    for (const std::string& a : names) {
      map.value.emplace_back();
      map.shade.emplace_back();
      map.text.emplace_back();
      for (const std::string& b : names) {
        double accuracy = std::nan("");
        for (const Row* row : group.rows)
          if (row->labels == std::vector{a, b} || row->labels == std::vector{b, a})
            accuracy = row->accuracy.mean;
        map.value.back().push_back(accuracy);
        map.shade.back().push_back(2 * accuracy - 1);
        map.text.back().push_back(a == b ? "" : number(accuracy));
      }
    }
    add_heat_map(exhibit, map, "accuracy");
  }
  const auto pair = [](const Row& row) {
    std::vector<std::string> both;
    for (const std::string& label : row.labels) both.push_back(class_title(label));
    return enumerate(both);
  };
  const Row *easiest = highest(main), *hardest = lowest(main);
  if (compare_extremes(main) == Comparison::above)
    exhibit.finding =
        fmt::format("For the {}, the easiest pair is {} ({}), the hardest {} ({}); chance is 0.5.",
                    classifier_title(easiest->classifier), pair(*easiest), with_range(easiest->accuracy),
                    pair(*hardest), with_range(hardest->accuracy));
  else
    exhibit.finding =
        fmt::format("For the {}, no pair is clearly easier than the others ({} to {}); chance is 0.5.",
                    classifier_title(easiest->classifier), number(hardest->accuracy.mean, 3),
                    number(easiest->accuracy.mean, 3));
  exhibit.caption =
      "Accuracy per layer where only two classes are there. No shade is chance, full shade no error.";
  return exhibit;
}

std::optional<Exhibit> reliability_figure(const View& view) {
  constexpr double fewest = 5;  // verdicts of a dot that is drawn
  Exhibit exhibit{.title = "Confidence and accuracy"};
  exhibit.table.header = {words("classifier"), number_title("confidence"), number_title("accuracy"),
                          number_title("verdicts")};
  std::vector<std::string> errors;
  for (const Row* row : view.main_rows()) {
    double total = 0;
    for (const io::ReliabilityBin& bin : row->reliability) total += bin.count;
    if (total == 0) continue;
    const std::string name = sentence(classifier_title(row->classifier));
    Plot plot({.title = "confidence"}, {}, "Reliability curve, " + name);
    plot.ticks_across({{0, "0.0"}, {0.2, "0.2"}, {0.4, "0.4"}, {0.6, "0.6"}, {0.8, "0.8"}, {1, "1.0"}});
    plot.diagonal();
    std::vector<std::pair<double, double>> curve;
    for (const io::ReliabilityBin& bin : row->reliability)
      if (bin.count >= fewest) curve.emplace_back(bin.confidence / bin.count, bin.right / bin.count);
    plot.curve(curve, "series-0");
    for (const io::ReliabilityBin& bin : row->reliability) {
      if (bin.count < fewest) continue;
      plot.dot(bin.confidence / bin.count, bin.right / bin.count, 2.5 + 9 * std::sqrt(bin.count / total),
               "dot",
               fmt::format("confidence {}: right in {} of {} verdicts", number(bin.confidence / bin.count),
                           number(bin.right, 0), number(bin.count, 0)));
      exhibit.table.rows.push_back(
          {words(name),
           {.text = number(bin.confidence / bin.count), .numeric = true, .value = bin.confidence / bin.count},
           {.text = number(bin.right / bin.count), .numeric = true, .value = bin.right / bin.count},
           whole_number(std::llround(bin.count))});
    }
    exhibit.panels.push_back({name, std::move(plot).finish()});
    if (const auto error = extra(*row, io::extra_name::calibration_error))
      errors.push_back(fmt::format("{} {}", classifier_title(row->classifier), with_range(*error)));
  }
  if (exhibit.panels.empty()) return std::nullopt;
  if (!errors.empty()) exhibit.finding = fmt::format("Calibration error: {}.", enumerate(errors));
  exhibit.caption =
      "Verdicts on single layers by their confidence: on the diagonal, a verdict given with 0.8 is right in "
      "80 of 100 "
      "cases. Larger dots: more verdicts, summed over the splits.";
  return exhibit;
}

std::optional<Exhibit> novelty_figure(const View& view) {
  const RowRefs rows = rows_where(view.with_key(key::unknown), [](const Row& row) {
    return extra(row, io::extra_name::auroc_novelty).has_value();
  });
  if (rows.empty()) return std::nullopt;
  std::vector<PairedPanel> panels;
  for (const Group& group : by_classifier_and_measure(rows)) {
    panels.push_back({group.heading, {}, 0.5});
    for (const Row* row : group.rows) {
      const Figure layer = *extra(*row, io::extra_name::auroc_novelty);
      const auto network = extra(*row, io::extra_name::network_auroc);
      panels.back().rows.push_back({class_title(*condition(*row, key::unknown)),
                                    network ? std::optional(layer) : std::nullopt, network.value_or(layer)});
    }
  }
  Exhibit exhibit{.title = "None of these: rules left out of training", .topic = Topic::novelty};
  add_pairs(exhibit, panels, "one layer", "whole network", {.title = "AUROC"});
  const auto score = [](const Row* row) {
    return extra(*row, io::extra_name::network_auroc).value_or(*extra(*row, io::extra_name::auroc_novelty));
  };
  const RowRefs main = headline_rows(rows);
  const auto [worst, best] = std::ranges::minmax(main, {}, [&](const Row* row) { return score(row).mean; });
  const auto told = std::ranges::count_if(main, [&](const Row* row) {
    const Figure figure = score(row);
    return figure.interval && figure.interval->front() > 0.5;
  });
  if (main.size() == 1)
    exhibit.finding = fmt::format("{} left out of training: AUROC {} by the {}; 0.5 is guessing.",
                                  sentence(class_title(*condition(*best, key::unknown))),
                                  with_range(score(best)), classifier_title(best->classifier));
  else
    exhibit.finding = fmt::format(
        "Of {} rules left out of training, the {} notices {} better than guessing (AUROC's interval above "
        "0.5): "
        "highest for {} ({}), lowest for {} ({}).",
        main.size(), classifier_title(best->classifier),
        told == 0 ? std::string("none") : std::to_string(told), class_title(*condition(*best, key::unknown)),
        with_range(score(best)), class_title(*condition(*worst, key::unknown)), with_range(score(worst)));
  exhibit.caption =
      "Each rule in turn is left out of training and then presented among test networks of the others. What "
      "is noticed lies far from everything in training; a rule between known ones does not. " +
      about_whiskers(rows);
  return exhibit;
}

namespace {

/// The rows of kinds left out of training that say how the sets did.
RowRefs rows_with_sets(const View& view) {
  return rows_where(view.with_key(key::held_out), [](const Row& row) {
    return extra(row, io::extra_name::coverage) && extra(row, io::extra_name::set_size);
  });
}

/// "0.97 to 1.00" of the rows' figures, or the one.
std::string range_text(const RowRefs& rows, const char* name, int decimals) {
  const auto [low, high] =
      std::ranges::minmax(rows, {}, [&](const Row* row) { return extra(*row, name)->mean; });
  const std::string from = number(extra(*low, name)->mean, decimals),
                    to = number(extra(*high, name)->mean, decimals);
  return from == to ? from : from + " to " + to;
}

/// "90 %", as configured.
std::string confidence_text(const View& view) {
  const auto confidence = view.configured("confidence");
  return confidence ? percent(std::stod(*confidence)) : "the set confidence";
}

}  // namespace

std::optional<Exhibit> left_out_set_figure(const View& view) {
  RowRefs rows = headline_rows(rows_with_sets(view));
  if (rows.empty()) return std::nullopt;
  rows = rows_where(rows, [&](const Row& row) { return measure_of(row) == measure_of(*rows.front()); });
  const auto most = static_cast<double>(rows.front()->labels.size());
  const auto panel = [&](const std::string& heading, const char* of_layers, const char* of_networks,
                         const Axis& axis) {
    BarPanel result{heading, {}, std::nan(""), axis};
    for (const Row* row : rows) {
      const std::string kind = *condition(*row, key::held_out);
      if (const auto figure = extra(*row, of_layers)) result.bars.push_back({kind + ", layers", *figure});
      if (const auto figure = extra(*row, of_networks)) result.bars.push_back({kind + ", networks", *figure});
    }
    return result;
  };
  Exhibit exhibit{.title = "Sets of classes on what was held out of training", .topic = Topic::sets};
  add_bars(exhibit,
           {panel("How often the set holds the class", io::extra_name::coverage,
                  io::extra_name::network_coverage, {.title = "share of sets that hold the class"}),
            panel("How many classes it holds", io::extra_name::set_size, io::extra_name::network_set_size,
                  {.low = 0, .high = most, .title = "classes in a set, mean"}),
            panel("Calibration error", io::extra_name::calibration_error,
                  io::extra_name::network_calibration_error, {.title = "|confidence − accuracy|, mean"})},
           "value");
  exhibit.finding = fmt::format(
      "On layers of what was left out, sets at {} hold the class in {} of cases, with {} of {} classes on "
      "average; calibration error {}.",
      confidence_text(view), range_text(rows, io::extra_name::coverage, 2),
      range_text(rows, io::extra_name::set_size, 1), number(most, 0),
      range_text(rows, io::extra_name::calibration_error, 2));
  exhibit.caption = fmt::format(
      "Of the {}. A set holds the classes that can't be excluded: where little can be told of a kind never "
      "seen, it is large rather than wrong. Nominally {} of sets hold the class.",
      classifier_title(rows.front()->classifier), confidence_text(view));
  return exhibit;
}

std::optional<Exhibit> left_out_table(const View& view) {
  const RowRefs rows = rows_with_sets(view);
  if (rows.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Kinds left out of training, in numbers"};
  const char* const names[] = {io::extra_name::network_accuracy, io::extra_name::calibration_error,
                               io::extra_name::coverage,         io::extra_name::set_size,
                               io::extra_name::network_coverage, io::extra_name::network_set_size,
                               io::extra_name::network_refused};
  exhibit.table.header = {words("left out"), words("classifier"), words("measure"),
                          number_title("accuracy per layer")};
  for (const char* const name : names) exhibit.table.header.push_back(number_title(extra_title(name)));
  for (const Row* row : rows) {
    std::vector<TableEntry>& line = exhibit.table.rows.emplace_back();
    line = {row_title(*condition(*row, key::held_out)), words(classifier_title(row->classifier)),
            words(measure_of(*row)), figure_entry(row->accuracy)};
    for (const char* const name : names) line.push_back(figure_entry(extra(*row, name)));
  }
  exhibit.caption =
      "Each kind was judged by a classifier that was fitted without it. In square brackets 95\u202f% "
      "intervals over networks, small the p-value against chance. Refused: less typical of the training "
      "networks than nearly all networks of other kinds are, when these are left out.";
  return exhibit;
}

std::optional<Exhibit> refusal_table(const View& view) {
  const RowRefs rows = rows_where(view.rows(), [](const Row& row) {
    return row.condition.contains(key::unknown) && extra(row, io::extra_name::auroc_novelty).has_value();
  });
  if (rows.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Refused as none of the known rules"};
  exhibit.table.header = {words("unknown rule"), words("classifier"), words("split")};
  const char* const names[] = {io::extra_name::network_known_refused, io::extra_name::network_unknown_refused,
                               io::extra_name::known_refused,         io::extra_name::unknown_refused,
                               io::extra_name::auroc_uncertainty,     io::extra_name::auroc_distance};
  for (const char* const name : names) exhibit.table.header.push_back(number_title(extra_title(name)));
  for (const Row* row : rows) {
    std::vector<TableEntry>& line = exhibit.table.rows.emplace_back();
    line = {row_title(class_title(*condition(*row, key::unknown))), words(classifier_title(row->classifier)),
            words(split_title(condition(*row, key::split).value_or("")))};
    for (const char* const name : names) line.push_back(figure_entry(extra(*row, name)));
  }
  exhibit.caption =
      "Shares refused; of known rules few should be (the setting refuse), of the unknown one all. In square "
      "brackets 95\u202f% intervals over networks; ± is the spread over splits.";
  return exhibit;
}

}  // namespace lrid::report
