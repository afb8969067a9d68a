
#include <lrid/classify/evaluate.hpp>
#include <lrid/classify/scaler.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>

#include "parallel.hpp"

namespace lrid::classify {

namespace {

/// Both sides of a fold, standardised by its training side.
struct FoldSamples {
  Samples train, test;

  FoldSamples(const Condition& condition, const Rows& train_rows, const Rows& test_rows,
              const FeatureTable& test_table) {
    const Scaler scaler(*condition.train, train_rows);
    train = scaler.apply(*condition.train, train_rows, *condition.target);
    test = scaler.apply(test_table, test_rows, *condition.target);
  }
};

/// The rows of the training part that fold `fold` fits on, or validates on.
Rows inner_rows(const Split& split, int fold, bool validating) {
  Rows rows;
  for (std::size_t i = 0; i < split.train.size(); ++i)
    if ((split.inner[i] == fold) == validating) rows.push_back(split.train[i]);
  return rows;
}

double share_right(const std::vector<int>& predicted, const std::vector<int>& labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1U : 0U;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

/// [inner fold][setting] accuracy; NaN where a fold does not admit the setting.
struct InnerOutcome {
  std::vector<double> accuracy;
  std::int64_t computed = 0, coinciding = 0, skipped = 0;
};

InnerOutcome inner_fold(const Classifier& classifier, const Condition& condition, const Split& split,
                        int fold, Key key) {
  check_interrupt();
  const FoldSamples samples(condition, inner_rows(split, fold, false), inner_rows(split, fold, true),
                            *condition.train);
  const GridOutcome grid = classifier.fit_grid(samples.train, samples.test, key);
  InnerOutcome outcome{{}, grid.computed, grid.coinciding, grid.skipped};
  for (const std::vector<int>& predicted : grid.predicted)
    outcome.accuracy.push_back(predicted.empty() ? std::numeric_limits<double>::quiet_NaN()
                                                 : share_right(predicted, samples.test.labels));
  return outcome;
}

}  // namespace

CellResult evaluate(const Classifier& classifier, const Condition& condition, const Split& split, Key key) {
  const int folds = condition.plan->inner_folds;
  std::vector<InnerOutcome> inner(static_cast<std::size_t>(folds));
  parallel_each(inner.size(), [&](std::size_t fold) {
    inner[fold] =
        inner_fold(classifier, condition, split, static_cast<int>(fold), key.with("inner").with(fold));
  });

  const std::vector<Setting> settings = classifier.settings();
  CellResult result{.chosen = {},
                    .inner_accuracy = -1,
                    .predicted = {},
                    .importances = {},
                    .computed = inner.front().computed,
                    .coinciding = inner.front().coinciding,
                    .skipped = inner.front().skipped};
  for (std::size_t s = 0; s < settings.size(); ++s) {
    double mean = 0;
    for (const InnerOutcome& outcome : inner) mean += outcome.accuracy[s] / folds;
    if (mean > result.inner_accuracy) {  // never for NaN
      result.inner_accuracy = mean;
      result.chosen = settings[s];
    }
  }
  if (result.chosen.empty())
    bad_input(
        "the data admits no point of the grid (a kernel longer than the {} points of a trajectory, or more "
        "components than the rank): expected a wider grid",
        condition.train->layout.points);

  check_interrupt();
  const FoldSamples outer(condition, split.train, split.test, *condition.test);
  const std::unique_ptr<Model> model = classifier.fit(outer.train, result.chosen, key.with("outer"));
  result.predicted = predicted_classes(model->scores(outer.test));
  const std::vector<double> importances = model->importances();
  for (std::size_t c = 0; c < importances.size(); ++c)
    result.importances[outer.train.layout.group_name(static_cast<std::int64_t>(c))] += importances[c];
  return result;
}

}  // namespace lrid::classify
