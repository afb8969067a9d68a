// Figures that show accuracies as bars: how well rules are told apart, and under which conditions.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <lrid/core/text.hpp>

#include "figures.hpp"
#include "markup.hpp"
#include "panels.hpp"

namespace lrid::report {
namespace {

bool has_accuracy(const Row* row) {
  return std::isfinite(row->accuracy.mean);
}

}  // namespace

std::optional<Exhibit> accuracy_figure(const View& view) {
  const RowRefs rows = view.plain_strict();
  const Row* best = highest(rows);
  if (best == nullptr) return std::nullopt;
  std::vector<BarPanel> all;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs own = rows_where(rows, "classifier", classifier);
    BarPanel one{sentence(classifier_title(classifier)), {}, common_chance(own)};
    for (const Row* row : own) one.bars.push_back({measure_of(*row), row->accuracy});
    all.push_back(std::move(one));
  }
  Exhibit exhibit{.title = "Accuracy by classifier and measure",
                  .html = bar_panels(all, "Accuracy by measure")};
  exhibit.finding = fmt::format("The {} tells the rules apart best: accuracy {} from {}{}.",
                                classifier_title(best->classifier), with_error(best->accuracy),
                                measure_of(*best), against_chance(best->accuracy, chance(*best)));
  // Single measures, through the eyes of the best classifier.
  const RowRefs single = rows_where(rows, [&](const Row& row) {
    return row.classifier == best->classifier && condition(row, "measure").value_or("all") != "all";
  });
  const Row *most = highest(single), *least = lowest(single);
  if (most != nullptr && most != least)
    exhibit.caption =
        fmt::format("Of the single measures, {} say most ({}) and {} least ({}). ", measure_of(*most),
                    with_error(most->accuracy), measure_of(*least), with_error(least->accuracy));
  if (view.strict_split() == "network")
    exhibit.caption += "All layers of a network are on one side of each split. ";
  exhibit.caption += fmt::format("{}; the line across is chance.", how_to_read);
  return exhibit;
}

std::optional<Exhibit> split_figure(const View& view) {
  struct Pair {
    const Row *sample, *network;
  };
  std::vector<Pair> pairs;
  for (const Row* network : rows_where(view.plain(), "split", "network"))
    for (const Row* sample : rows_where(view.plain(), "split", "sample"))
      if (sample->classifier == network->classifier &&
          condition(*sample, "measure") == condition(*network, "measure") && has_accuracy(sample) &&
          has_accuracy(network))
        pairs.push_back({sample, network});
  if (pairs.empty()) return std::nullopt;

  std::vector<std::string> classifiers;
  for (const Pair& pair : pairs)
    if (std::ranges::find(classifiers, pair.network->classifier) == classifiers.end())
      classifiers.push_back(pair.network->classifier);
  std::string html;
  for (const std::string& classifier : classifiers) {
    std::vector<Pair> own;
    std::ranges::copy_if(pairs, std::back_inserter(own),
                         [&](const Pair& pair) { return pair.network->classifier == classifier; });
    AccuracyRows rows(own.size(), chance(*own.front().network),
                      "Accuracy under both kinds of split, " + classifier_title(classifier));
    for (const Pair& pair : own) {
      const io::Figure &sample = pair.sample->accuracy, &network = pair.network->accuracy;
      const double y =
          rows.row(measure_of(*pair.network), number(sample.mean) + " → " + number(network.mean));
      rows.svg.line({rows.x(sample.mean), y}, {rows.x(network.mean), y}, "link");
      rows.svg.circle({rows.x(sample.mean), y}, 5, "dot-hollow", "by sample: " + with_error(sample, 3));
      rows.svg.circle({rows.x(network.mean), y}, 5, "dot", "grouped by network: " + with_error(network, 3));
    }
    html += panel(sentence(classifier_title(classifier)), rows.str());
  }

  const auto loss = [](const Pair& pair) { return pair.sample->accuracy.mean - pair.network->accuracy.mean; };
  const Pair& worst = *std::ranges::max_element(pairs, {}, loss);
  const auto number_clear = std::ranges::count_if(
      pairs, [](const Pair& pair) { return clearly_above(pair.sample->accuracy, pair.network->accuracy); });
  Exhibit exhibit{.title = "Splits by sample against splits grouped by network",
                  .html = legend({{dot_key("dot-hollow"), "split by sample, as in the study"},
                                  {dot_key("dot"), "split grouped by network"}}) +
                          panels(html)};
  if (number_clear == 0)
    exhibit.finding =
        "Keeping all layers of a network on one side of the split costs no accuracy beyond the errors.";
  else
    exhibit.finding = fmt::format(
        "Keeping all layers of a network on one side of the split clearly lowers {} of {} accuracies, most "
        "that of "
        "the {} on {} ({} → {}).",
        number_clear, pairs.size(), classifier_title(worst.network->classifier), measure_of(*worst.network),
        number(worst.sample->accuracy.mean), number(worst.network->accuracy.mean));
  exhibit.caption =
      "Where the filled dot lies left of the hollow one, part of the accuracy came from recognising networks "
      "rather "
      "than rules: split by sample, layers of one network are on both sides.";
  return exhibit;
}

std::optional<Exhibit> held_out_figure(const View& view) {
  const RowRefs rows = view.with_key("held_out");
  if (highest(rows) == nullptr) return std::nullopt;
  std::vector<BarPanel> all;
  bool referenced = false;
  const Row* hardest = nullptr;  // by what it loses against the reference, else by accuracy
  double largest_loss = -INFINITY;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs of_classifier = rows_where(rows, "classifier", classifier);
    std::vector<std::string> measures = values_of(of_classifier, "measure");
    if (measures.empty()) measures.emplace_back();
    for (const std::string& measure : measures) {
      const RowRefs own = measure.empty() ? of_classifier : rows_where(of_classifier, "measure", measure);
      BarPanel one{sentence(classifier_title(classifier)), {}, common_chance(own)};
      if (measures.size() > 1) one.heading += ", " + measure_title(measure);
      const Row* reference = view.reference(*own.front());
      if (reference != nullptr && has_accuracy(reference)) {
        one.bars.push_back({"none held out", reference->accuracy, "bar bar-muted"});
        referenced = true;
      }
      for (const Row* row : own) {
        std::string label = *condition(*row, "held_out");
        if (condition(*row, "matched").value_or("false") == "true") label += ", matched";
        one.bars.push_back({label, row->accuracy});
        if (!has_accuracy(row)) continue;
        const double loss =
            (reference == nullptr || !has_accuracy(reference) ? 1 : reference->accuracy.mean) -
            row->accuracy.mean;
        if (loss > largest_loss) {
          largest_loss = loss;
          hardest = row;
        }
      }
      all.push_back(std::move(one));
    }
  }
  const Row* best = highest(rows);
  Exhibit exhibit{.title = "Trained without, tested on it",
                  .html = bar_panels(all, "Accuracy on what was held out")};
  exhibit.finding = fmt::format("On what training never saw, the best is the {} with {} held out: {}{}.",
                                classifier_title(best->classifier), *condition(*best, "held_out"),
                                with_error(best->accuracy), against_chance(best->accuracy, chance(*best)));
  if (hardest != nullptr) {
    const Row* reference = view.reference(*hardest);
    if (reference != nullptr && has_accuracy(reference))
      exhibit.caption =
          fmt::format("The largest step is that of the {} to {}: {} instead of {} with nothing held out. ",
                      classifier_title(hardest->classifier), *condition(*hardest, "held_out"),
                      with_error(hardest->accuracy), with_error(reference->accuracy));
    else
      exhibit.caption = fmt::format("Hardest is {} for the {} ({}). ", *condition(*hardest, "held_out"),
                                    classifier_title(hardest->classifier), with_error(hardest->accuracy));
  }
  exhibit.caption += fmt::format(
      "Each bar: all networks of that kind are left out of training and are what the test is made of{}. {}.",
      referenced ? "; pale bars: nothing held out, same data" : "", how_to_read);
  return exhibit;
}

std::optional<Exhibit> control_figure(const View& view) {
  const RowRefs rows =
      rows_where(view.rows(), [](const Row& row) { return row.condition.contains("control"); });
  if (highest(rows) == nullptr) return std::nullopt;
  std::vector<BarPanel> all;
  for (const std::string& classifier : values_of(rows, "classifier"))
    for (const std::string& control : values_of(rows, "control")) {
      const RowRefs own = rows_where(rows_where(rows, "classifier", classifier), "control", control);
      if (own.empty()) continue;
      BarPanel one{
          sentence(classifier_title(classifier)) + ", " + control_title(control), {}, common_chance(own)};
      for (const Row* row : own) {
        std::string label = measure_of(*row);
        if (const auto split = condition(*row, "split")) label += ", " + split_title(*split);
        one.bars.push_back({label, row->accuracy});
      }
      all.push_back(std::move(one));
    }
  const RowRefs above = rows_where(rows, [](const Row& row) {
    return std::isfinite(chance(row)) && clearly_above(row.accuracy, chance(row));
  });
  Exhibit exhibit{.title = "Controls", .html = bar_panels(all, "Accuracy of the control")};
  if (const Row* most = highest(above); most == nullptr)
    exhibit.finding = "No control is clearly above chance.";
  else
    exhibit.finding = fmt::format("{} of {} {} clearly above chance, most {} with the {} ({}).", above.size(),
                                  counted(rows.size(), "control"), above.size() == 1 ? "is" : "are",
                                  control_title(*condition(*most, "control")),
                                  classifier_title(most->classifier), with_error(most->accuracy));
  exhibit.caption = fmt::format(
      "What accuracy must be compared with: shuffled labels have to give chance, and the final accuracy of a "
      "network "
      "is a feature that needs no statistics. Split by sample, a value that all layers of a network share "
      "gives the "
      "network away. {}.",
      how_to_read);
  return exhibit;
}

std::optional<Exhibit> position_figure(const View& view) {
  struct Place {
    double accuracy;
    std::string position, classifier;
    io::Figure figure;
  };
  std::vector<Place> places;
  std::vector<BarPanel> all;
  for (const Row* row : view.main_rows()) {
    BarPanel one{sentence(classifier_title(row->classifier)), {}, chance(*row)};
    for (const std::string position : {"0", "1", "2"}) {
      const auto found = row->extra.find(position_accuracy_name(position));
      if (found == row->extra.end()) continue;
      one.bars.push_back({position_title(position), found->second});
      if (std::isfinite(found->second.mean))
        places.push_back({found->second.mean, position_title(position), row->classifier, found->second});
    }
    if (!one.bars.empty()) all.push_back(std::move(one));
  }
  if (places.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Accuracy by layer position",
                  .html = bar_panels(all, "Accuracy by layer position")};
  const Place& best = *std::ranges::max_element(places, {}, &Place::accuracy);
  std::erase_if(places, [name = best.classifier](const Place& place) { return place.classifier != name; });
  const Place& highest_place = *std::ranges::max_element(places, {}, &Place::accuracy);
  const Place& lowest_place = *std::ranges::min_element(places, {}, &Place::accuracy);
  const std::string classifier = classifier_title(highest_place.classifier);
  if (clearly_above(highest_place.figure, lowest_place.figure))
    exhibit.finding =
        fmt::format("The {} tells rules apart best from {} layers ({}) and worst from {} ones ({}).",
                    classifier, highest_place.position, with_error(highest_place.figure),
                    lowest_place.position, with_error(lowest_place.figure));
  else
    exhibit.finding =
        fmt::format("The {} does alike on layers at all positions, within the errors ({} to {}).", classifier,
                    number(lowest_place.accuracy), number(highest_place.accuracy));
  exhibit.caption = fmt::format(
      "Trained on layers of all positions; tested on the early, the middle or the deep third of each "
      "network's. {}.",
      how_to_read);
  return exhibit;
}

std::optional<Exhibit> within_position_figure(const View& view) {
  const RowRefs rows = view.with_key("position");
  if (highest(rows) == nullptr) return std::nullopt;
  const std::vector<BarPanel> all = bar_panels_of(rows, [](RowRefs own) {
    std::ranges::stable_sort(own, {},
                             [](const Row* row) { return numeric_condition(*row, "position").value_or(0); });
    std::vector<Bar> bars;
    for (const Row* row : own) bars.push_back({position_title(*condition(*row, "position")), row->accuracy});
    return bars;
  });
  const Row *best = highest(rows), *worst = lowest(rows_where(rows, "classifier", best->classifier));
  Exhibit exhibit{.title = "Trained and tested within a layer position",
                  .html = bar_panels(all, "Accuracy within a layer position")};
  const std::string best_position = position_title(*condition(*best, "position"));
  if (clearly_above(best->accuracy, worst->accuracy))
    exhibit.finding = fmt::format(
        "Trained on layers of one position only, the {} does best on {} layers ({}) and worst on {} ones "
        "({}).",
        classifier_title(best->classifier), best_position, with_error(best->accuracy),
        position_title(*condition(*worst, "position")), with_error(worst->accuracy));
  else
    exhibit.finding = fmt::format(
        "Trained on layers of one position only, the {} does alike at all of them, within the errors ({} "
        "to {}).",
        classifier_title(best->classifier), number(worst->accuracy.mean), number(best->accuracy.mean));
  exhibit.caption = fmt::format(
      "Trained and tested within the early, the middle or the deep third of the layers, with fewer samples "
      "each. {}.",
      how_to_read);
  return exhibit;
}

}  // namespace lrid::report
