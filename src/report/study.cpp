// The study's findings, and whether results agree with them. What decides are tests over networks (view.hpp),
// corrected for the number of comparisons that a finding rests on; what they leave open is "not decided".

#include "study.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

using Outcome = std::optional<StudyFinding::Outcome>;

constexpr std::array measures = {io::measure_name::weight, io::measure_name::activation,
                                 io::measure_name::layer_change};

Agreement agreement_of(Comparison comparison) {
  return comparison == Comparison::above   ? Agreement::agrees
         : comparison == Comparison::below ? Agreement::disagrees
                                           : Agreement::undecided;
}

/// Agreement if most of the comparisons are above, disagreement if most are not and some are below.
Agreement majority(const std::vector<Comparison>& comparisons) {
  const auto above = std::ranges::count(comparisons, Comparison::above),
             below = std::ranges::count(comparisons, Comparison::below);
  const auto all = static_cast<std::ptrdiff_t>(comparisons.size());
  return 2 * above > all ? Agreement::agrees : 2 * below > all ? Agreement::disagrees : Agreement::undecided;
}

double mean_accuracy(const RowRefs& rows) {
  double sum = 0;
  for (const Row* row : rows) sum += row->accuracy.mean;
  return sum / static_cast<double>(rows.size());
}

Outcome measures_separate(const View& view) {
  RowRefs rows;
  std::vector<std::string> evidence;
  const RowRefs plain = headline_rows(with_accuracy(view.plain_strict()));
  for (const char* measure : measures) {
    const RowRefs own = rows_where(plain, key::measure, measure);
    if (own.empty()) return std::nullopt;
    rows.push_back(own.front());
    evidence.push_back(fmt::format("{} {}", measure_title(measure), with_range(own.front()->accuracy)));
  }
  const std::vector<Comparison> comparisons = against_chance(rows);
  const bool all = std::ranges::count(comparisons, Comparison::above) == std::ssize(comparisons);
  return {{all                                                                      ? Agreement::agrees
           : std::ranges::find(comparisons, Comparison::below) != comparisons.end() ? Agreement::disagrees
                                                                                    : Agreement::undecided,
           fmt::format("{}: {}", classifier_title(rows.front()->classifier), enumerate(evidence))}};
}

Outcome nonlinear_beats_linear(const View& view) {
  const RowRefs rows = with_accuracy(view.main_rows());
  const RowRefs linear = rows_where(rows, "classifier", "svm"),
                others = headline_rows(rows_where(rows, [](const Row&row) {
                  return row.classifier == "forest" || row.classifier == "mlp" || row.classifier == "knn";
                }));
  if (linear.empty() || others.empty()) return std::nullopt;
  const Row &line = *linear.front(), &other = *others.front();
  return {{agreement_of(compare({{&other, &line}}).front()),
           fmt::format("{} {}, linear SVM {}", classifier_title(other.classifier), with_range(other.accuracy),
                       with_range(line.accuracy))}};
}

Outcome shape_suffices(const View& view) {
  const RowRefs rows =
      headline_rows(with_accuracy(rows_where(view.with_key(key::control), [](const Row& row) {
        return condition(row, key::control) == io::control_name::unit_norm ||
               condition(row, key::control) == io::control_name::unit_range;
      })));
  if (rows.empty()) return std::nullopt;
  std::vector<std::string> evidence;
  for (const Row* row : rows)
    evidence.push_back(
        fmt::format("{} {}", control_title(*condition(*row, key::control)), with_range(row->accuracy)));
  return {{majority(against_chance(rows)), enumerate(evidence)}};
}

Outcome scale_does_not_suffice(const View& view) {
  const RowRefs rows = headline_rows(
      with_accuracy(rows_where(view.with_key(key::control), key::control, io::control_name::scale_only)));
  std::vector<RowPair> pairs;
  std::vector<std::string> evidence;
  for (const Row* row : rows)
    if (const Row* reference = view.reference(*row); reference != nullptr) {
      pairs.push_back({reference, row});
      evidence.push_back(fmt::format("{}: scale alone {}, whole trajectories {}", measure_of(*row),
                                     with_range(row->accuracy), with_range(reference->accuracy)));
    }
  if (pairs.empty()) return std::nullopt;
  return {{majority(compare(pairs)), enumerate(evidence)}};
}

Outcome held_out_costs(const View& view) {
  const RowRefs rows = headline_rows(with_accuracy(view.with_key(key::held_out)));
  std::vector<RowPair> pairs;
  for (const Row* row : rows)
    if (const Row* reference = view.reference(*row); reference != nullptr) pairs.push_back({reference, row});
  if (pairs.empty()) return std::nullopt;
  const std::vector<Comparison> costs = compare(pairs);
  const Agreement above = majority(against_chance(rows)), cost = majority(costs);
  const auto count = [](const std::vector<Comparison>& all) {
    return std::ranges::count(all, Comparison::above);
  };
  return {{above == Agreement::agrees && cost == Agreement::agrees         ? Agreement::agrees
           : above == Agreement::disagrees || cost == Agreement::disagrees ? Agreement::disagrees
                                                                           : Agreement::undecided,
           fmt::format("{} of {} accuracies above chance, {} of {} below those with nothing held out",
                       count(against_chance(rows)), rows.size(), count(costs), costs.size())}};
}

Outcome sparse_loses_less(const View& view) {
  const RowRefs same =
      headline_rows(rows_where(with_accuracy(view.with_key(key::train_points)), [](const Row& row) {
        return condition(row, key::train_points) == condition(row, key::test_points);
      }));
  const RowRefs all = rows_where(same, key::train_points, "all"),
                sparse = rows_where(
                    same,
                    [](const Row&row) { return condition(row, key::train_points)->starts_with("every"); }),
                contiguous = rows_where(
                    same, [](const Row&row) { return condition(row, key::train_points)->ends_with("%"); });
  if (all.empty() || sparse.empty() || contiguous.empty()) return std::nullopt;
  std::vector<RowPair> pairs;
  for (const Row* one : sparse)
    for (const Row* other : contiguous) pairs.push_back({one, other});
  return {
      {majority(compare(pairs)),
       fmt::format("all points {}, sparse {}, as many in one place {} (means)", number(mean_accuracy(all), 3),
                   number(mean_accuracy(sparse), 3), number(mean_accuracy(contiguous), 3))}};
}

Outcome activations_are_robust(const View& view) {
  const RowRefs rows = headline_rows(with_accuracy(rows_where(
      view.with_key(key::unit_fraction), [](const Row& row) { return row.condition.contains(key::noise); })));
  // Level by level: activations against activity change, activity change against weights.
  std::vector<std::string> evidence;
  std::map<std::string, RowRefs> of_measure;
  for (const char* measure : measures) {
    of_measure[measure] = rows_where(rows, key::measure, measure);
    if (of_measure[measure].size() < 2) return std::nullopt;
    evidence.push_back(
        fmt::format("{} {}", measure_title(measure), number(mean_accuracy(of_measure[measure]), 3)));
  }
  std::vector<RowPair> pairs;
  for (const auto& [more, less] : {std::pair{io::measure_name::activation, io::measure_name::layer_change},
                                   std::pair{io::measure_name::layer_change, io::measure_name::weight}})
    for (const Row* a : of_measure[more])
      for (const Row* b : of_measure[less])
        if (condition(*a, key::noise) == condition(*b, key::noise) &&
            condition(*a, key::unit_fraction) == condition(*b, key::unit_fraction))
          pairs.push_back({a, b});
  return {{majority(compare(pairs)), "mean accuracy over all levels: " + enumerate(evidence)}};
}

}  // namespace

std::string_view name_of(Agreement agreement) {
  return agreement == Agreement::agrees      ? "agrees"
         : agreement == Agreement::disagrees ? "does not agree"
                                             : "not decided";
}

const std::vector<StudyFinding>& study_findings() {
  static const std::vector<StudyFinding> findings = {
      {"Each of the three measures alone separates the rules above chance.", measures_separate},
      {"Non-linear classifiers beat the linear one.", nonlinear_beats_linear},
      {"The shape of trajectories alone, without their scale, separates the rules too.", shape_suffices},
      {"The scale of trajectories alone does not suffice.", scale_does_not_suffice},
      {"What is held out of training costs accuracy, which stays above chance.", held_out_costs},
      {"Sparse points along the whole trajectory lose far less than as many in one place.",
       sparse_loses_less},
      {"Under noise and with few units, activations are the most robust and weights the least.",
       activations_are_robust}};
  return findings;
}

}  // namespace lrid::report
