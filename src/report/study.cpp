// What the study found, in words, and whether results agree with it.
#include "study.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "markup.hpp"

namespace lrid::report {
namespace {

using Verdict = std::optional<StudyFinding::Verdict>;

double mean_accuracy(const RowRefs& rows) {
  double sum = 0;
  for (const Row* row : rows) sum += row->accuracy.mean;
  return sum / static_cast<double>(rows.size());
}

Verdict measures_separate(const View& view) {
  bool all_above = true;
  std::vector<std::string> evidence;
  for (const char* measure : {"weight", "activation", "layer_change"}) {
    const Row* best = highest(rows_where(view.plain_strict(), "measure", measure));
    if (best == nullptr) return std::nullopt;
    all_above &= clearly_above(best->accuracy, chance(*best));
    evidence.push_back(fmt::format("{} {}", measure_title(measure), with_error(best->accuracy)));
  }
  return {{all_above, enumerate(evidence)}};
}

Verdict nonlinear_beats_linear(const View& view) {
  const RowRefs rows = view.main_rows();
  const Row *linear = highest(rows_where(rows, "classifier", "svm")),
            *other = highest(rows_where(rows, [](const Row&row) { return row.classifier != "svm"; }));
  if (linear == nullptr || other == nullptr) return std::nullopt;
  return {{clearly_above(other->accuracy, linear->accuracy),
           fmt::format("{} {}, linear SVM {}", classifier_title(other->classifier),
                       with_error(other->accuracy), with_error(linear->accuracy))}};
}

Verdict shape_matters(const View& view) {
  const RowRefs rows = rows_where(view.with_key("control"), [](const Row& row) {
    return condition(row, "control")->starts_with("unit_");
  });
  const Row* best = highest(rows);
  if (best == nullptr) return std::nullopt;
  const auto above =
      std::ranges::count_if(rows, [](const Row* row) { return clearly_above(row->accuracy, chance(*row)); });
  return {{2 * above > static_cast<std::ptrdiff_t>(rows.size()),
           fmt::format("without scale {} of {} accuracies above chance, at best {}", above, rows.size(),
                       with_error(best->accuracy))}};
}

Verdict held_out_costs(const View& view) {
  const RowRefs rows = view.with_key("held_out");
  std::size_t above = 0, below_reference = 0, referenced = 0;
  for (const Row* row : rows) {
    above += clearly_above(row->accuracy, chance(*row)) ? 1U : 0U;
    const Row* reference = view.reference(*row);
    if (reference == nullptr) continue;
    ++referenced;
    below_reference += row->accuracy.mean < reference->accuracy.mean ? 1U : 0U;
  }
  if (rows.empty() || referenced == 0) return std::nullopt;
  return {{2 * above > rows.size() && 2 * below_reference > referenced,
           fmt::format("{} of {} accuracies above chance, {} of {} below those with nothing held out", above,
                       rows.size(), below_reference, referenced)}};
}

Verdict sparse_loses_less(const View& view) {
  const RowRefs same = rows_where(view.with_key("train_points"), [](const Row& row) {
    return condition(row, "train_points") == condition(row, "test_points");
  });
  const RowRefs all = rows_where(same, "train_points", "all"),
                sparse = rows_where(
                    same, [](const Row&row) { return condition(row, "train_points")->starts_with("every"); }),
                contiguous = rows_where(
                    same, [](const Row&row) { return condition(row, "train_points")->ends_with("%"); });
  if (all.empty() || sparse.empty() || contiguous.empty()) return std::nullopt;
  const double whole = mean_accuracy(all), spread = mean_accuracy(sparse),
               in_one_place = mean_accuracy(contiguous);
  return {{whole - spread < (whole - in_one_place) / 2,
           fmt::format("all points {}, sparse {}, as many in one place {} (means)", number(whole),
                       number(spread), number(in_one_place))}};
}

Verdict activations_are_robust(const View& view) {
  const RowRefs rows = rows_where(view.with_key("unit_fraction"),
                                  [](const Row& row) { return row.condition.contains("noise"); });
  // What is left above chance, on average over the imperfect levels, of what there is at the best one.
  std::map<std::string, double> left;
  std::vector<std::string> evidence;
  for (const char* measure : {"weight", "activation", "layer_change"}) {
    const RowRefs own = rows_where(rows, "measure", measure);
    const Row* best = highest(own);
    if (best == nullptr || own.size() < 2) return std::nullopt;
    const double level = chance(*best);
    left[measure] = (mean_accuracy(own) - level) / (best->accuracy.mean - level);
    evidence.push_back(fmt::format("{} {}\u202f%", measure_title(measure), number(100 * left[measure], 0)));
  }
  return {{left["activation"] > left["layer_change"] && left["layer_change"] > left["weight"],
           "left of the best accuracy above chance, mean over levels: " + enumerate(evidence)}};
}

}  // namespace

const std::vector<StudyFinding>& study_findings() {
  static const std::vector<StudyFinding> findings = {
      {"Each of the three measures alone separates the rules above chance.", measures_separate},
      {"Non-linear classifiers beat the linear one.", nonlinear_beats_linear},
      {"Scale is not what it rests on: the trajectories' shapes alone separate the rules, too.",
       shape_matters},
      {"What is held out of training costs accuracy, which stays above chance.", held_out_costs},
      {"Sparse points along the whole trajectory lose far less than as many in one place.",
       sparse_loses_less},
      {"Under noise and undersampling activations are the most robust, weights the least.",
       activations_are_robust}};
  return findings;
}

}  // namespace lrid::report
