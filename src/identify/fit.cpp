#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/change.hpp>
#include <lrid/identify/fit.hpp>
#include <lrid/identify/transform.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/learn/metrics.hpp>

#include "evaluate.hpp"
#include "json.hpp"
#include "result_row.hpp"
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

/// The features for new kinds: they need no position, and no scale. First the one that is taken where there
/// are too few kinds to choose by.
const std::vector<std::string> candidates = {"profile_sorted", "log_increments", "none"};

constexpr const char* transform_key = "features.transform";
constexpr const char* position_key = "features.position";

/// What fit() does unless the configuration says otherwise, unlike run().
Config with_defaults_of_fit(Config config, bool& chooses_transform) {
  const Config::Entry* const transform = config.find(transform_key);
  chooses_transform = transform == nullptr || transform->value == ConfigValue{std::string("auto")};
  if (chooses_transform) config.assign(transform_key, ConfigValue{candidates.front()}, "fit");
  if (config.find(position_key) == nullptr) config.assign(position_key, ConfigValue{false}, "fit");
  return config;
}

std::size_t classes_among(const Target& target, const Rows& rows) {
  std::set<int> classes;
  for (const std::int64_t row : rows) classes.insert(target.labels[to_size(row)]);
  return classes.size();
}

/// Architectures and tasks that can be left out: their column has at least `least` values, and the others
/// have all classes.
std::vector<std::pair<std::string, std::string>> kinds_to_leave_out(const Study& study, std::size_t least) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const char* column : {"architecture", "task"}) {
    const std::vector<std::string> values = study.metadata()->values(column, study.pool_rows());
    if (column == study.protocol().target || values.size() < std::max<std::size_t>(least, 2)) continue;
    for (const std::string& value : values)
      if (classes_among(*study.target(), study.pool().without(column, {value}).rows(*study.metadata())) ==
          study.target()->classes.size())
        result.emplace_back(column, value);
  }
  return result;
}

/// Tries each candidate on every kind left out, where a column has at least three; none otherwise.
std::vector<TransformTrial> try_transforms(const Study& study, const FeatureTable& table, Key key) {
  const auto kinds = kinds_to_leave_out(study, 3);
  std::vector<TransformTrial> trials;
  if (kinds.empty()) return trials;
  const auto forest = learn::classifiers().at("forest").make();
  const learn::Setting setting = {{"trees", std::int64_t{200}}, {"max_features", std::string("sqrt")}};
  Progress progress("choosing features", static_cast<double>(candidates.size() * kinds.size()), "forests");
  for (const std::string& candidate : candidates) {
    const FeatureTable features = table.transformed(candidate);
    double sum = 0;
    for (const auto& [column, value] : kinds) {
      const Rows train = study.pool().without(column, {value}).rows(*study.metadata()),
                 test = study.pool().only(column, {value}).rows(*study.metadata());
      const learn::Scaler scaler = fit_scaler(features, train);
      const auto model = forest->fit(standardise(scaler, features, train, *study.target()), setting,
                                     key.with("transform").with(column).with(value));
      const learn::Matrix scores = model->scores(standardise(scaler, features, test));
      sum += learn::accuracy(learn::predicted_classes(scores), study.target()->labels_of(test));
      progress.advance();
    }
    trials.push_back({candidate, sum / static_cast<double>(kinds.size())});
  }
  progress.finish();
  return trials;
}

/// The first of the candidates that is about as accurate as the best: the first ones are free of scale.
std::string chosen_among(const std::vector<TransformTrial>& trials) {
  constexpr double about = 0.02;
  if (trials.empty()) return candidates.front();
  const double best = std::ranges::max(trials, {}, &TransformTrial::accuracy).accuracy;
  return std::ranges::find_if(trials,
                              [&](const TransformTrial& trial) { return trial.accuracy >= best - about; })
      ->transform;
}

/// NaN where the row has no such figure.
double mean_of(const io::ResultRow& row, const char* name) {
  const auto found = row.extra.find(name);
  return found == row.extra.end() ? std::numeric_limits<double>::quiet_NaN() : found->second.mean;
}

LeftOutKind left_out_kind(const std::string& column, const std::string& value, const io::ResultRow& row) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  namespace name = io::extra_name;
  LeftOutKind kind{.column = column,
                   .value = value,
                   .samples = row.n_test,
                   .networks = std::ssize(row.tested->names),
                   .accuracy = row.accuracy.mean,
                   .calibration_error = mean_of(row, name::calibration_error),
                   .coverage = mean_of(row, name::coverage),
                   .set_size = mean_of(row, name::set_size),
                   .network_accuracy = mean_of(row, name::network_accuracy),
                   .network_coverage = mean_of(row, name::network_coverage),
                   .network_set_size = mean_of(row, name::network_set_size),
                   .refused = mean_of(row, name::network_refused),
                   .interval = row.accuracy.interval.value_or(Interval{none, none}),
                   .network_interval = {none, none},
                   .p = row.accuracy.p.value_or(none),
                   .network_p = none};
  if (const auto found = row.extra.find(name::network_accuracy); found != row.extra.end()) {
    kind.network_interval = found->second.interval.value_or(kind.network_interval);
    kind.network_p = found->second.p.value_or(none);
  }
  return kind;
}

/// Leaves each architecture and each task out in turn, as experiment held-out does, with the chosen setting.
std::vector<LeftOutKind> judge_left_out(const Study& study, const FeatureTable& table,
                                        const NamedClassifier& classifier, const learn::Setting& setting,
                                        Key key) {
  const auto kinds = kinds_to_leave_out(study, 2);
  const Protocol& protocol = study.protocol();
  const Metadata& metadata = *study.metadata();
  const auto features = std::make_shared<const FeatureTable>(table);
  std::vector<LeftOutKind> result;
  Progress progress("leaving kinds out", static_cast<double>(kinds.size()), "kinds");
  for (const auto& [column, value] : kinds) {
    const Key of_kind = key.with("left out").with(column).with(value);
    SplitPlan plan;
    plan.kind = SplitKind::network;
    plan.inner_folds = static_cast<int>(protocol.inner_folds);
    try {
      plan.splits.push_back(all_for_training(plan.kind, plan.inner_folds,
                                             study.pool().without(column, {value}).rows(metadata), metadata,
                                             *study.target(), of_kind));
    } catch (const InputError& too_few) {
      spdlog::warn("{} {} is not left out: {}", column, value, too_few.what());
      continue;
    }
    plan.splits.front().test = study.pool().only(column, {value}).rows(metadata);
    const Condition condition =
        Condition::on({}, features, study.target(), std::make_shared<const SplitPlan>(std::move(plan)));
    const CellResult cell = evaluate(*classifier.classifier, condition, 0, protocol, of_kind, setting);
    result.push_back(left_out_kind(
        column, value,
        result_row(classifier.name, condition, 0, {cell},
                   std::make_shared<const io::TestedNetworks>(tested_networks(condition)), protocol.refuse)));
    progress.advance();
  }
  progress.finish();
  return result;
}

/// Measures of the data's own kinds, without "all".
std::vector<std::string> single_measures(const std::vector<std::string>& measures) {
  std::vector<std::string> result;
  for (const std::string& name : measure_names())
    if (name != io::measure_name::all && std::ranges::any_of(measures, [&](const std::string& measure) {
          return measure == name || measure == io::measure_name::all;
        }))
      result.push_back(name);
  return result;
}

/// Records how large the training networks' statistics are, and how much they change.
void add_ranges(const io::Dataset& data, const Metadata& metadata, const Rows& rows, FittedFile& fitted) {
  const Networks networks = Networks::of(metadata, rows);
  std::size_t unchanged = 0;
  for (std::size_t n = 0; n < networks.names.size(); ++n) {
    Rows of_network;
    for (const std::size_t i : networks.members[n]) of_network.push_back(rows[i]);
    widen(fitted.ranges, scales_of(data, of_network, fitted.measures));
    const ChangeTest test = test_change(data, of_network, fitted.measures, change_key(networks.names[n]));
    unchanged += test.finds_none() ? 1U : 0U;
    for (const auto& [measure, outcome] : test.measures) {
      const auto [least, is_new] = fitted.least_change.try_emplace(measure, outcome.change);
      least->second = std::min(least->second, outcome.change);
    }
  }
  if (unchanged > 0)
    spdlog::warn("{} of {} for training without change over time: expected all to have learned", unchanged,
                 counted(networks.names.size(), "network"));
}

}  // namespace

FittedFile fit(const FitRequest& request) {
  require_writable(request.out, "--out", {request.data, request.config.name()}, Sink::file);
  bool chooses_transform = false;
  Setup setup(with_defaults_of_fit(request.config, chooses_transform));
  const Protocol& protocol = setup.protocol;
  const io::Dataset data = io::read_dataset(request.data);
  const Study study(protocol, data, request.data.string());
  const auto raw = study.table_of(observables_of_measures(protocol.measures));
  const std::vector<SplitKind> kinds = study.split_kinds();
  const SplitKind kind =
      std::ranges::find(kinds, SplitKind::network) != kinds.end() ? SplitKind::network : SplitKind::sample;
  const Key key(static_cast<std::uint64_t>(protocol.seed), "fit");

  FittedFile best;
  std::string transform = protocol.transform;
  const FeatureTable& given = protocol.position ? *raw : raw->without_position();
  if (chooses_transform) {
    best.trials = try_transforms(study, given, key);
    transform = chosen_among(best.trials);
    setup.options.resolve(transform_key, ConfigValue{transform});
  }
  const FeatureTable table = given.transformed(transform);
  const Split split = all_for_training(kind, static_cast<int>(protocol.inner_folds), study.pool_rows(),
                                       *study.metadata(), *study.target(), key);

  const auto training = [&](const FeatureTable& features) {
    return Training{.table = features,
                    .target = *study.target(),
                    .rows = split.train,
                    .inner = split.inner,
                    .inner_folds = static_cast<int>(protocol.inner_folds),
                    .calibration = protocol.calibration,
                    .with_known = true,
                    .with_new_kinds = true};
  };
  best.inner_accuracy = -1;
  const NamedClassifier* classifier_of_best = nullptr;
  learn::Setting setting_of_best;
  Progress progress("fitting", static_cast<double>(setup.classifiers.size()), "classifiers");
  for (const NamedClassifier& classifier : setup.classifiers) {
    FittedIdentifier fitted =
        fit_identifier(*classifier.classifier, training(table), key.with(classifier.name));
    progress.advance();
    if (fitted.inner_accuracy <= best.inner_accuracy) continue;
    best.identifier = std::move(fitted.identifier);
    best.classifier = classifier.name;
    best.setting = condition_to_json(fitted.chosen).dump();
    best.inner_accuracy = fitted.inner_accuracy;
    classifier_of_best = &classifier;
    setting_of_best = fitted.chosen;
  }
  progress.finish();
  best.target = protocol.target;
  best.refuse = protocol.refuse;
  best.confidence = protocol.confidence;
  best.measures = single_measures(protocol.measures);
  if (table.layout.with_position) {
    const FeatureTable without = table.without_position();
    Training fixed = training(without);
    fixed.setting = setting_of_best;
    best.without_position =
        fit_identifier(*classifier_of_best->classifier, fixed, key.with(best.classifier).with("no position"))
            .identifier;
  }
  best.left_out =
      judge_left_out(study, table, *classifier_of_best, setting_of_best, key.with(best.classifier));
  std::set<std::string> measured;
  for (const std::int64_t row : split.train) measured.insert(measurement_of(data.meta, to_size(row)));
  best.measured = {measured.begin(), measured.end()};
  add_ranges(data, *study.metadata(), split.train, best);
  for (std::size_t c = 0; c < best.identifier.classes.size(); ++c) {
    Rows of_class;
    for (const std::int64_t row : split.train)
      if (study.target()->labels[to_size(row)] == static_cast<int>(c)) of_class.push_back(row);
    best.courses.push_back(mean_courses(data, of_class, best.identifier.layout.observables));
  }
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
  const FeatureLayout& layout = fitted.identifier.layout;
  std::string text = fmt::format(
      "{} {} for {} ({}): {} at {}, {} of {}; accuracy {:.3f} over the inner folds\n", fitted.classifier,
      fitted.setting, fitted.target, join(fitted.identifier.classes, ", "),
      counted(layout.observables.size(), "observable"), counted(layout.trajectory_points(), "point"),
      counted(fitted.samples, "layer"), counted(fitted.networks, "network"), fitted.inner_accuracy);
  std::vector<std::string> trials;
  for (const TransformTrial& trial : fitted.trials)
    trials.push_back(fmt::format("{} {:.3f}", trial.transform, trial.accuracy));
  text += fmt::format("features: {}, {} position{}{}\n", layout.transform,
                      layout.with_position ? "with" : "without",
                      fitted.without_position ? " (where it is unknown, a second fit without)" : "",
                      trials.empty() ? "" : " (accuracy on kinds left out: " + join(trials, ", ") + ")");
  for (const LeftOutKind& kind : fitted.left_out) text += describe(kind, fitted.confidence) + "\n";
  return text;
}

}  // namespace lrid::identify
