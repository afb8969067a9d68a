#include "protocol.hpp"

#include <algorithm>

#include <lrid/core/text.hpp>
#include <lrid/identify/experiment.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/identify/transform.hpp>
#include <lrid/io/results.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/classifier.hpp>

namespace lrid::identify {

namespace {

/// Reports an empty list, or a name that occurs twice.
void require_distinct(const Options& options, const std::string& key, std::vector<std::string> values) {
  if (values.empty()) options.fail(key, "is empty: expected at least one name");
  std::ranges::sort(values);
  const auto twice = std::ranges::adjacent_find(values);
  if (twice != values.end()) options.fail(key, "names " + *twice + " twice: expected each name once");
}

}  // namespace

void Protocol::declare(Options& options) {
  options.add("experiment", experiment, Accepts::one_of(experiments().names()), "the question to answer");
  options.add("classifiers", classifiers, Accepts::one_of(learn::classifiers().names()),
              "classifiers to fit; the results have a row for each");
  options.add("seed", seed, Accepts::at_least(0), "seed of splits and classifiers");
  options.add("target", target, Accepts::one_of(Metadata::column_names()), "the metadata column to identify");
  options.add("splits", splits, Accepts::at_least(1),
              "number of random divisions into training and test part");
  options.add(
      "split", split, Accepts::one_of({io::split_name::sample, io::split_name::network}),
      "unit that never sits on both sides: a sample (as in the study), or a network with all its layers");
  options.add("inner_folds", inner_folds, Accepts::at_least(2),
              "folds of the cross-validation that selects hyperparameters within the training part");
  options.add("features.measures", measures, Accepts::one_of(measure_names()),
              "observables to use: those of all measures, or of one; a condition for each");
  options.add("features.transform", transform, Accepts::one_of(transforms().names()),
              "what trajectories become before they are standardised; none: as in the study");
  options.add("features.position", position, Accepts::anything(),
              "whether the layer's position (early, middle or deep) is a feature");
  for (const std::string& column : Metadata::column_names()) {
    const std::string key = "filter." + column,
                      help = "keep samples whose " + column + " is one of these; empty: all";
    if (column == "batch_size") {
      std::vector<std::int64_t> sizes;
      options.add(key, sizes, Accepts::at_least(1), help);
      for (const std::int64_t size : sizes) only[column].push_back(std::to_string(size));
    } else if (column == "noise" || column == "unit_fraction") {
      // Imperfectly measured samples are excluded unless asked for, be it by a number of units.
      std::vector<double> levels;
      const bool asked = column == "unit_fraction" && options.is_set("filter.units");
      if (!experiments().at(experiment).imperfect && !asked) levels.push_back(column == "noise" ? 0.0 : 1.0);
      options.add(key, levels, Accepts::at_least(0), help);
      for (const double level : levels) only[column].push_back(format_double(level));
    } else {
      options.add(key, only[column], Accepts::anything(), help);
    }
  }
  options.add("calibration", calibration, Accepts::one_of(learn::Calibration::methods()),
              "calibration of probabilities on the samples that inner folds hold out; unless none, decision "
              "values are made probabilities first");
  options.add("refuse", refuse, Accepts::between(0, 1),
              "fraction of samples of known classes that may be refused as none of these");
  options.add("confidence", confidence, Accepts{.low = 0, .high = 1, .low_open = true},
              "how often the set of classes that is named should hold the right one");
  require_distinct(options, "classifiers", classifiers);
  require_distinct(options, "split", split);
  require_distinct(options, "features.measures", measures);
}

}  // namespace lrid::identify
