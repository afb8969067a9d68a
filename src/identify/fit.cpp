#include <algorithm>

#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/fit.hpp>
#include <lrid/io/dataset.hpp>

#include "json.hpp"
#include "setup.hpp"

namespace lrid::identify {

namespace {

/// Observables of any of the measures, in the order of stats::observables().
std::vector<std::string> observables_of_measures(const std::vector<std::string>& measures) {
  std::vector<std::string> result;
  for (const std::string& name : observables_of_measure(io::measure_name::all))
    for (const std::string& measure : measures) {
      const std::vector<std::string> members = observables_of_measure(measure);
      if (std::ranges::find(members, name) == members.end()) continue;
      result.push_back(name);
      break;
    }
  return result;
}

}  // namespace

FittedFile fit(const FitRequest& request) {
  require_writable(request.out, "--out", {request.data, request.config.name()}, Sink::file);
  const Setup setup(request.config);
  const Protocol& protocol = setup.protocol;
  const io::Dataset data = io::read_dataset(request.data);
  const Study study(protocol, data, request.data.string());
  const auto table = study.table_of(observables_of_measures(protocol.measures));
  const std::vector<SplitKind> kinds = study.split_kinds();
  const SplitKind kind =
      std::ranges::find(kinds, SplitKind::network) != kinds.end() ? SplitKind::network : SplitKind::sample;
  const Key key(static_cast<std::uint64_t>(protocol.seed), "fit");
  const Split split = all_for_training(kind, static_cast<int>(protocol.inner_folds), study.pool_rows(),
                                       *study.metadata(), *study.target(), key);

  FittedFile best;
  best.inner_accuracy = -1;
  Progress progress("fitting", static_cast<double>(setup.classifiers.size()), "classifiers");
  for (const NamedClassifier& classifier : setup.classifiers) {
    FittedIdentifier fitted = fit_identifier(*classifier.classifier,
                                             {.table = *table,
                                              .target = *study.target(),
                                              .rows = split.train,
                                              .inner = split.inner,
                                              .inner_folds = static_cast<int>(protocol.inner_folds),
                                              .calibration = protocol.calibration,
                                              .with_known = true},
                                             key.with(classifier.name));
    progress.advance();
    if (fitted.inner_accuracy <= best.inner_accuracy) continue;
    best.identifier = std::move(fitted.identifier);
    best.classifier = classifier.name;
    best.setting = condition_to_json(fitted.chosen).dump();
    best.inner_accuracy = fitted.inner_accuracy;
  }
  progress.finish();
  best.target = protocol.target;
  best.refuse = protocol.refuse;
  best.samples = std::ssize(split.train);
  best.networks = std::ssize(Networks::of(*study.metadata(), split.train).names);
  best.dataset_sha256 = sha256_of_file(request.data);
  best.pool = study.pool().describe();
  best.config = setup.options.to_toml();
  write_fitted(request.out, best);
  if (const std::string why = why_none_is_refused(best); !why.empty()) spdlog::warn("{}", why);
  return best;
}

std::string describe(const FittedFile& fitted) {
  return fmt::format("{} {} for {} ({}): {} at {}, {} of {}; accuracy {:.3f} over the inner folds\n",
                     fitted.classifier, fitted.setting, fitted.target, join(fitted.identifier.classes, ", "),
                     counted(fitted.identifier.layout.channels(), "observable"),
                     counted(fitted.identifier.layout.points, "point"), counted(fitted.samples, "layer"),
                     counted(fitted.networks, "network"), fitted.inner_accuracy);
}

}  // namespace lrid::identify
