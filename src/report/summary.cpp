// The first screen of the page.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <lrid/core/text.hpp>

#include "charts.hpp"
#include "markup.hpp"
#include "names.hpp"
#include "page.hpp"

namespace lrid::report {
namespace {

constexpr std::size_t most_bullets = 3;

/// The first part with a plain experiment, which the summary speaks of; nullptr without one.
const Part* main_part(const std::vector<Part>& parts) {
  const auto found =
      std::ranges::find_if(parts, [](const Part& part) { return part.view.headline() != nullptr; });
  return found == parts.end() ? nullptr : &*found;
}

/// The row's accuracy per network if it has one, else per layer.
Figure main_accuracy(const Row& row) {
  return extra(row, io::extra_name::network_accuracy).value_or(row.accuracy);
}

bool is_per_network(const Row& row) {
  return extra(row, io::extra_name::network_accuracy).has_value();
}

/// Rows with something held out, of the classifier and measure that headlines speak of; "" for any.
RowRefs held_out_rows(const Part& part, const std::string& classifier, const std::string& measure) {
  RowRefs rows = with_accuracy(part.view.with_key(key::held_out));
  rows = classifier.empty() ? headline_rows(rows) : rows_where(rows, "classifier", classifier);
  if (rows.empty()) return rows;
  const std::string shown = measure.empty() ? measure_of(*rows.front()) : measure;
  return rows_where(rows, [&](const Row& row) { return measure_of(row) == shown; });
}

std::string observed(const Row& row) {
  const std::string measure = measure_of(row);
  if (measure == measure_title(io::measure_name::all))
    return "statistics of weights, activations and activity change";
  if (measure == measure_title(io::measure_name::final_accuracy)) return "the final accuracy alone";
  return "statistics of " + measure;
}

std::string answer(const View& view, const Row& row) {
  const bool per_network = is_per_network(row);
  const bool unseen = view.strict_split() == io::split_name::network;
  const Figure accuracy = main_accuracy(row);
  const std::string of_what =
      fmt::format("{} that {} not trained on", per_network ? "networks" : "layers of networks", "it was");
  const std::string subject =
      per_network || unseen ? of_what : "layers, of networks some of whose layers it was trained on";
  const std::string from = sentence("from " + observed(row) + " during training");
  const double level = chance(row);
  if (std::isfinite(level) && compare(accuracy, level) != Comparison::above)
    return fmt::format(
        "{}, a {} does not name the {} of {} clearly better than guessing does ({} against {}).", from,
        classifier_title(row.classifier), view.target(), subject, percent(accuracy.mean), percent(level));
  return fmt::format("{}, a {} names the {} of {} of the {}{}.", from, classifier_title(row.classifier),
                     view.target(), percent(accuracy.mean), subject,
                     std::isfinite(level) ? fmt::format("; guessing would name {}", percent(level)) : "");
}

/// ", and, asked apart, the optimiser ...": what the headline's classifier tells of the optimiser and of the
/// assignment of credit; "" where they were not asked.
std::string answers_apart(const View& view, const Row& headline) {
  std::vector<std::string> told;
  for (const Row* row :
       rows_where(with_accuracy(view.with_key(key::question)), "classifier", headline.classifier))
    told.push_back(fmt::format(
        "{} in {}{}", question_title(*condition(*row, key::question)), percent(main_accuracy(*row).mean),
        std::isfinite(chance(*row)) ? fmt::format(" (guessing: {})", percent(chance(*row))) : ""));
  return told.empty() ? "" : fmt::format(" Asked apart, it tells {}.", enumerate(told));
}

std::string about_data(const View& view) {
  std::vector<std::string> classes;
  for (const std::string& label : view.classes()) classes.push_back(class_title(label));
  std::int64_t networks = 0;
  for (const Row* row : view.rows()) networks = std::max(networks, row->n_networks);
  std::string text;
  if (networks > 0) text = counted(networks, "network") + ". ";
  if (!classes.empty()) text += sentence(view.target()) + "s: " + enumerate(classes) + ".";
  return text;
}

std::string interval_note(const Figure& figure) {
  if (figure.interval) {
    const std::string p = p_text(figure);
    return fmt::format("95\u202f% interval over networks {} to {}{}", number(figure.interval->front()),
                       number(figure.interval->back()), p.empty() ? "" : ", " + p);
  }
  const double spread = spread_over_splits(figure);
  return std::isfinite(spread) ? fmt::format("± {} spread over splits", number(spread, 3)) : "";
}

void add_tile(std::vector<Tile>& tiles, double value, const std::string& text, const std::string& note) {
  tiles.push_back({number(value), note.empty() ? text : text + ", " + note});
}

std::vector<Tile> tiles_of(const std::vector<Part>& parts, const Part* main) {
  std::vector<Tile> tiles;
  const Row* row = main == nullptr ? nullptr : main->view.headline();
  if (row != nullptr) {
    if (const auto network = extra(*row, io::extra_name::network_accuracy))
      add_tile(tiles, network->mean, "accuracy per network", interval_note(*network));
    add_tile(tiles, row->accuracy.mean, "accuracy per layer", interval_note(row->accuracy));
  }
  for (const Part& part : parts) {
    const RowRefs rows =
        held_out_rows(part, row == nullptr ? "" : row->classifier, row == nullptr ? "" : measure_of(*row));
    if (rows.empty()) continue;
    std::vector<double> means;
    for (const Row* one : rows) means.push_back(main_accuracy(*one).mean);
    const auto [low, high] = std::ranges::minmax(means);
    std::string kind = part.view.configured("hold_out").value_or("kind");
    std::ranges::replace(kind, '_', ' ');
    tiles.push_back({number(low) == number(high) ? number(low) : number(low) + "–" + number(high),
                     fmt::format("accuracy per {} when the {} was left out of training: {}",
                                 is_per_network(*rows.front()) ? "network" : "layer", kind,
                                 enumerate(values_of(rows, key::held_out)))});
    break;
  }
  if (row != nullptr)
    for (const Row* one :
         rows_where(with_accuracy(main->view.with_key(key::question)), "classifier", row->classifier))
      add_tile(tiles, main_accuracy(*one).mean,
               fmt::format("{} per {}, chance {}", question_title(*condition(*one, key::question)),
                           is_per_network(*one) ? "network" : "layer", chance_text(chance(*one))),
               interval_note(main_accuracy(*one)));
  if (row != nullptr && std::isfinite(chance(*row)))
    tiles.push_back({chance_text(chance(*row)),
                     fmt::format("chance, with {}", counted(row->labels.size(), "class", "classes"))});
  return tiles;
}

/// A line of the figure: layers hollow and networks filled; only layers where there is nothing of networks.
PairedRow line(const std::string& label, const Row& row) {
  if (!is_per_network(row)) return {label, std::nullopt, row.accuracy};
  return {label, row.accuracy, main_accuracy(row)};
}

std::optional<Exhibit> figure_of(const std::vector<Part>& parts, const Part* main) {
  if (main == nullptr) return std::nullopt;
  const Row& row = *main->view.headline();
  std::vector<PairedPanel> panels = {{"New networks of known kinds", {}, chance(row)}};
  for (const Row* one : with_accuracy(headline_rows(main->view.plain_strict())))
    panels.back().rows.push_back(line(measure_of(*one), *one));
  PairedPanel held_out{"Kinds left out of training", {}, chance(row)};
  for (const Part& part : parts)
    for (const Row* one : held_out_rows(part, row.classifier, measure_of(row)))
      if (held_out.rows.size() < 6)
        held_out.rows.push_back(line(*condition(*one, key::held_out) + " left out", *one));
  if (!held_out.rows.empty()) panels.push_back(std::move(held_out));
  Exhibit exhibit{.title = fmt::format("Accuracy of the {}", classifier_title(row.classifier))};
  const bool networks = std::ranges::any_of(panels, [](const PairedPanel& panel) {
    return std::ranges::any_of(panel.rows, [](const PairedRow& one) { return one.before.has_value(); });
  });
  add_pairs(exhibit, panels, "one layer", networks ? "whole network" : "one layer");
  exhibit.caption = fmt::format("Chance is the line across. {}", about_whiskers({&row}));
  return exhibit;
}

}  // namespace

Summary summarise(const std::vector<Part>& parts) {
  const Part* main = main_part(parts);
  const View& view = main == nullptr ? parts.front().view : main->view;
  Summary summary;
  summary.question = view.target() == "learning rule" ? "Which learning rule trained these networks?"
                                                      : fmt::format("Identifying the {}", view.target());
  if (main != nullptr) {
    summary.sentence = answer(view, *view.headline()) + answers_apart(view, *view.headline());
  } else {
    const auto first = bullets(parts);
    summary.sentence = first.empty() ? "These results hold no accuracies." : first.front()->exhibit.finding;
  }
  summary.data = about_data(view);
  summary.tiles = tiles_of(parts, main);
  summary.figure = figure_of(parts, main);
  return summary;
}

std::vector<const NumberedExhibit*> bullets(const std::vector<Part>& parts) {
  std::vector<const NumberedExhibit*> found;
  for (const Part& part : parts)
    for (const NumberedExhibit& numbered : part.exhibits) {
      const Exhibit& exhibit = numbered.exhibit;
      const bool told = std::ranges::any_of(
          found, [&](const NumberedExhibit* other) { return other->exhibit.topic == exhibit.topic; });
      if (!exhibit.finding.empty() && !told) found.push_back(&numbered);
    }
  std::ranges::stable_sort(found, {},
                           [](const NumberedExhibit* numbered) { return numbered->exhibit.topic; });
  if (found.size() > most_bullets) found.resize(most_bullets);
  return found;
}

}  // namespace lrid::report
