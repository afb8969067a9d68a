// Figures of accuracy in the plain experiment: by measure, per network, by kind of split, by layer position.

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "charts.hpp"
#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

/// "best from early layers (…) and worst from deep ones (…)", or that they can't be told apart.
std::string by_position(const std::vector<std::pair<std::string, Figure>>& places,
                        const std::string& subject) {
  const auto mean = [](const auto& place) { return place.second.mean; };
  const auto [worst, best] = std::ranges::minmax_element(places, {}, mean);
  // Intervals a quarter wider make up for three comparisons, as Bonferroni's correction would.
  if (compare(best->second, worst->second, 1.25) == Comparison::above)
    return fmt::format("{} does best on {} layers ({}) and worst on {} ones ({}).", subject, best->first,
                       with_range(best->second), worst->first, with_range(worst->second));
  return fmt::format("{} does about equally well on layers at all positions ({} to {}).", subject,
                     number(worst->second.mean, 3), number(best->second.mean, 3));
}

}  // namespace

std::optional<Exhibit> accuracy_figure(const View& view) {
  const RowRefs rows = view.plain_strict();
  const Row* main = view.headline();
  if (main == nullptr) return std::nullopt;
  Exhibit exhibit{.title = "Accuracy by classifier and measure", .topic = Topic::measures};
  std::vector<BarPanel> panels;
  for (const std::string& classifier : values_of(rows, "classifier")) {
    const RowRefs own = rows_where(rows, "classifier", classifier);
    panels.push_back({sentence(classifier_title(classifier)), {}, common_chance(own)});
    for (const Row* row : own) panels.back().bars.push_back({measure_of(*row), row->accuracy});
  }
  add_bars(exhibit, panels);
  const RowRefs single = rows_where(with_accuracy(headline_rows(rows)), [](const Row& row) {
    return condition(row, key::measure).value_or(io::measure_name::all) != io::measure_name::all;
  });
  if (single.size() > 1) {
    const Row *most = highest(single), *least = lowest(single);
    const bool decided = compare_extremes(single) == Comparison::above;
    exhibit.finding =
        decided ? fmt::format("Of the single measures, {} ({}) tell clearly more than {} ({}), for the {}.",
                              measure_of(*most), with_range(most->accuracy), measure_of(*least),
                              with_range(least->accuracy), classifier_title(main->classifier))
                : fmt::format("No single measure is clearly ahead of the others for the {} ({} to {}).",
                              classifier_title(main->classifier), number(least->accuracy.mean, 3),
                              number(most->accuracy.mean, 3));
  } else {
    exhibit.finding = fmt::format("The {} reaches {} from {}{}.", classifier_title(main->classifier),
                                  with_range(main->accuracy), measure_of(*main),
                                  against_chance(main->accuracy, chance(*main)));
  }
  exhibit.caption = "Accuracy per layer. ";
  if (view.strict_split() == io::split_name::network)
    exhibit.caption += "All layers of a network are on one side of each split. ";
  exhibit.caption += about_bars(rows) + " The line across is chance.";
  if (values_of(rows, key::measure).size() > 1)
    exhibit.caption +=
        " In ResNets each observed layer is linear, so that activity change is a statistic of the kernel "
        "alone.";
  return exhibit;
}

std::optional<Exhibit> question_figure(const View& view) {
  RowRefs rows = with_accuracy(view.with_key(key::question));
  if (rows.empty()) return std::nullopt;
  Exhibit exhibit{.title = "The optimiser and the assignment of credit", .topic = Topic::measures};
  add_bars(exhibit, bar_panels(rows, [](const Row& row) {
             const bool optimiser = condition(row, key::question) == io::question_name::optimiser;
             return fmt::format("{} (chance {})", optimiser ? "Adam or SGDM" : "without Adam",
                                chance_text(chance(row)));
           }));
  std::vector<std::string> told;
  const RowRefs main = headline_rows(rows);
  const std::vector<Comparison> clear = against_chance(main);
  for (std::size_t i = 0; i < main.size(); ++i)
    told.push_back(fmt::format("{} in {}{}", question_title(*condition(*main[i], key::question)),
                               with_range(main[i]->accuracy),
                               clear[i] == Comparison::above ? "" : ", not clearly above chance"));
  exhibit.finding = fmt::format("Asked apart, the {} tells {} of the layers.",
                                classifier_title(main.front()->classifier), enumerate(told));
  exhibit.caption =
      "Adam stands out by its step sizes, whatever brings it the gradient, and so hides in an accuracy over "
      "all "
      "rules how well the others are told apart. Each bar is trained and tested on some classes alone: Adam "
      "and "
      "SGD with momentum differ in the optimiser only, the rules without Adam in the assignment of credit "
      "only. " +
      about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> network_figure(const View& view) {
  std::vector<PairedPanel> panels;
  const RowRefs rows = rows_where(view.main_rows(), [](const Row& row) {
    return extra(row, io::extra_name::network_accuracy).has_value();
  });
  if (rows.empty()) return std::nullopt;
  PairedPanel panel{sentence(measure_of(*rows.front())), {}, common_chance(rows)};
  for (const Row* row : rows)
    panel.rows.push_back(
        {classifier_title(row->classifier), row->accuracy, *extra(*row, io::extra_name::network_accuracy)});
  Exhibit exhibit{.title = "Verdicts on whole networks", .topic = Topic::networks};
  add_pairs(exhibit, {panel}, "one layer", "all layers of a network");
  const Row& main = *headline_rows(rows).front();
  exhibit.finding = fmt::format(
      "From all layers of a network together, the {} is right in {} of the cases; from one layer in {}.",
      classifier_title(main.classifier), with_range(*extra(main, io::extra_name::network_accuracy)),
      with_range(main.accuracy));
  exhibit.caption =
      "The layers' calibrated probabilities are multiplied, then calibrated again on networks kept out of "
      "training. " +
      about_whiskers(rows);
  return exhibit;
}

std::optional<Exhibit> split_figure(const View& view) {
  struct Pair {
    const Row *sample, *network;
  };
  std::vector<Pair> pairs;
  for (const Row* network : with_accuracy(rows_where(view.plain(), key::split, io::split_name::network)))
    for (const Row* sample : with_accuracy(rows_where(view.plain(), key::split, io::split_name::sample)))
      if (sample->classifier == network->classifier && measure_of(*sample) == measure_of(*network))
        pairs.push_back({sample, network});
  if (pairs.empty()) return std::nullopt;

  std::vector<PairedPanel> panels;
  RowRefs networks;
  for (const Pair& pair : pairs) {
    const std::string heading = sentence(classifier_title(pair.network->classifier));
    auto panel = std::ranges::find(panels, heading, &PairedPanel::heading);
    if (panel == panels.end()) panel = panels.insert(panels.end(), {heading, {}, chance(*pair.network)});
    panel->rows.push_back({measure_of(*pair.network), pair.sample->accuracy, pair.network->accuracy});
    networks.push_back(pair.network);
  }
  Exhibit exhibit{.title = "Splits by layer and by network", .topic = Topic::other};
  add_pairs(exhibit, panels, "split by layer, as in the study", "split by network");
  std::vector<RowPair> compared;
  for (const Pair& pair : pairs) compared.push_back({pair.sample, pair.network});
  const auto lowered = std::ranges::count(compare(compared), Comparison::above);
  if (lowered == 0)
    exhibit.finding =
        "Keeping all layers of a network on one side of the split does not clearly lower any accuracy.";
  else
    exhibit.finding = fmt::format(
        "Keeping all layers of a network on one side of the split clearly lowers {} of {} accuracies.",
        lowered, pairs.size());
  exhibit.caption =
      "Where the filled dot lies left of the hollow one, part of the accuracy came from recognising networks "
      "rather "
      "than rules: split by layer, layers of one network are on both sides. " +
      about_whiskers(networks);
  return exhibit;
}

std::optional<Exhibit> position_figure(const View& view) {
  std::vector<BarPanel> panels;
  std::vector<std::pair<std::string, Figure>> places;
  const RowRefs rows = view.main_rows();
  const std::string headline = headline_classifier(rows);
  for (const Row* row : rows) {
    BarPanel panel{sentence(classifier_title(row->classifier)), {}, chance(*row)};
    for (std::size_t position = 0; position < io::extra_name::accuracy_at_position.size(); ++position)
      if (const auto figure = extra(*row, io::extra_name::accuracy_at_position[position])) {
        panel.bars.push_back({position_title(std::to_string(position)), *figure});
        if (row->classifier == headline) places.emplace_back(panel.bars.back().label, *figure);
      }
    if (!panel.bars.empty()) panels.push_back(std::move(panel));
  }
  if (panels.empty()) return std::nullopt;
  Exhibit exhibit{.title = "Accuracy by layer position"};
  add_bars(exhibit, panels);
  if (places.size() > 1) exhibit.finding = by_position(places, "The " + classifier_title(headline));
  exhibit.caption =
      "Trained on layers of all positions; tested on the early, the middle or the deep third of each "
      "network. " +
      about_bars(rows);
  return exhibit;
}

std::optional<Exhibit> within_position_figure(const View& view) {
  RowRefs rows = with_accuracy(view.with_key(key::position));
  if (rows.empty()) return std::nullopt;
  std::ranges::stable_sort(rows, {},
                           [](const Row* row) { return numeric_condition(*row, key::position).value_or(0); });
  const auto position = [](const Row& row) { return position_title(*condition(row, key::position)); };
  Exhibit exhibit{.title = "Trained and tested within a layer position"};
  add_bars(exhibit, bar_panels(rows, position));
  std::vector<std::pair<std::string, Figure>> places;
  const RowRefs main = headline_rows(rows);
  for (const Row* row :
       rows_where(main, [&](const Row& row) { return measure_of(row) == measure_of(*main.front()); }))
    places.emplace_back(position(*row), row->accuracy);
  if (places.size() > 1)
    exhibit.finding = by_position(places, fmt::format("Trained on layers of one position only, the {}",
                                                      classifier_title(main.front()->classifier)));
  exhibit.caption = "Within the early, the middle or the deep third there are fewer layers to learn from. " +
                    about_bars(rows);
  return exhibit;
}

}  // namespace lrid::report
