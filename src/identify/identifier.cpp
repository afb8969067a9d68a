#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <boost/math/distributions/normal.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

namespace {

/// Results of an inner fold on the samples it holds out.
struct InnerFold {
  std::vector<std::size_t> held_out;  // indices into the training rows
  std::vector<learn::Matrix>
      scores;                    // [setting] of [held_out, classes]; empty where the data do not admit it
  std::vector<double> accuracy;  // [setting]; NaN likewise
  std::vector<double> distance;  // [held_out]; empty unless with_distances()
  std::int64_t computed = 0, coinciding = 0, skipped = 0;
};

bool with_distances(const Training& training) {
  return training.with_known || training.with_new_kinds;
}

InnerFold inner_fold(const learn::Classifier& classifier, const Training& training, int fold, Key key) {
  check_interrupt();
  InnerFold result;
  Rows fitted, held_out;
  for (std::size_t i = 0; i < training.rows.size(); ++i) {
    if (training.inner[i] != fold) {
      fitted.push_back(training.rows[i]);
      continue;
    }
    held_out.push_back(training.rows[i]);
    result.held_out.push_back(i);
  }
  const learn::Scaler scaler = fit_scaler(training.table, fitted);
  const learn::Samples train = standardise(scaler, training.table, fitted, training.target),
                       validation = standardise(scaler, training.table, held_out, training.target);
  if (training.setting) {
    result.scores = {classifier.fit(train, *training.setting, key)->scores(validation)};
  } else {
    learn::GridOutcome grid = classifier.fit_grid(train, validation, key);
    result.scores = std::move(grid.scores);
    result.computed = grid.computed;
    result.coinciding = grid.coinciding;
    result.skipped = grid.skipped;
  }
  for (const learn::Matrix& scores : result.scores)
    result.accuracy.push_back(scores.size() == 0
                                  ? std::numeric_limits<double>::quiet_NaN()
                                  : learn::accuracy(learn::predicted_classes(scores), validation.labels));
  if (with_distances(training))
    result.distance =
        learn::nearest_distances(learn::compressed(train.series()), learn::compressed(validation.series()));
  return result;
}

/// Samples far from those trained on, held out with all that are like them.
struct FarFold {
  std::vector<std::size_t> held_out;  // indices into the training rows
  learn::Matrix scores;               // [held_out, classes]
  std::vector<double> distance;       // [held_out]
};

/// Trains without the samples that have this value in a metadata column, and without the layer position,
/// which the held-out ones may not share. Holds out nothing if a class would be missing.
FarFold far_fold(const learn::Classifier& classifier, const Training& training, const learn::Setting& setting,
                 const std::string& column, const std::string& value, Key key) {
  check_interrupt();
  FarFold result;
  Rows fitted, held_out;
  std::set<int> classes;
  const std::vector<std::string>& values = training.table.metadata->column(column);
  for (std::size_t i = 0; i < training.rows.size(); ++i) {
    const std::size_t row = to_size(training.rows[i]);
    if (values[row] == value) {
      held_out.push_back(training.rows[i]);
      result.held_out.push_back(i);
    } else {
      fitted.push_back(training.rows[i]);
      classes.insert(training.target.labels[row]);
    }
  }
  if (classes.size() < training.target.classes.size()) return {};
  const learn::Scaler scaler = fit_scaler(training.table, fitted);
  learn::Samples train = standardise(scaler, training.table, fitted, training.target),
                 samples = standardise(scaler, training.table, held_out);
  for (learn::Samples* side : {&train, &samples}) side->x.leftCols(side->layout.constants).setZero();
  result.scores = classifier.fit(train, setting, key)->scores(samples);
  result.distance =
      learn::nearest_distances(learn::compressed(train.series()), learn::compressed(samples.series()));
  return result;
}

/// Columns and their values to leave out: each layer position, and each architecture and task where that
/// leaves three.
std::vector<std::pair<std::string, std::string>> far_groups(const Training& training) {
  constexpr std::size_t least_left = 3;
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& [column, least] : {std::pair{"layer_position", std::size_t{2}},
                                      {"architecture", 1 + least_left},
                                      {"task", 1 + least_left}}) {
    const std::vector<std::string> values = training.table.metadata->values(column, training.rows);
    if (values.size() < least) continue;
    for (const std::string& value : values) result.emplace_back(column, value);
  }
  return result;
}

/// log(distance / typical), bounded below.
std::vector<double> log_distances(const std::vector<double>& distance, double typical) {
  constexpr double least = 1e-3;
  std::vector<double> result;
  for (const double value : distance) result.push_back(std::log(std::max(value / typical, least)));
  return result;
}

/// Distances of the rows of each architecture and each task to the others, as mean logarithms over networks.
std::vector<double> distances_of_kinds(const Training& training) {
  std::vector<double> result;
  const Metadata& metadata = *training.table.metadata;
  for (const char* column : {"architecture", "task"}) {
    const std::vector<std::string> values = metadata.values(column, training.rows);
    if (values.size() < 2) continue;
    for (const std::string& value : values) {
      Rows others, left_out;
      for (const std::int64_t row : training.rows)
        (metadata.column(column)[to_size(row)] == value ? left_out : others).push_back(row);
      const learn::Scaler scaler = fit_scaler(training.table, others);
      const std::vector<double> distance =
          learn::nearest_distances(learn::compressed(standardise(scaler, training.table, others).series()),
                                   learn::compressed(standardise(scaler, training.table, left_out).series()));
      std::ranges::copy(Networks::of(metadata, left_out).mean(log_distances(distance, 1)),
                        std::back_inserter(result));
    }
  }
  return result;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Probabilities of layers to pool: the classifier's own, or the calibrated ones where those would be surer.
/// Sure layers outvote the others of their network, and on networks unlike the training ones they are not
/// right as often.
learn::Matrix votes(const learn::Calibration& calibration, const learn::Matrix& logits) {
  return learn::Calibration().probabilities(std::min(1.0, calibration.inverse_temperature()) * logits);
}

/// 1 − the probability of the true class.
std::vector<double> conformal_scores(const learn::Matrix& probabilities, const std::vector<int>& labels) {
  std::vector<double> result;
  for (std::size_t i = 0; i < labels.size(); ++i) result.push_back(1 - probabilities(to_index(i), labels[i]));
  return result;
}

}  // namespace

Networks Networks::of(const Metadata& metadata, const Rows& rows) {
  const std::vector<std::string>& network = metadata.column("network");
  Networks networks;
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& name = network[to_size(rows[i])];
    const auto [entry, is_new] = place.try_emplace(name, networks.names.size());
    if (is_new) {
      networks.names.push_back(name);
      networks.members.emplace_back();
    }
    networks.members[entry->second].push_back(i);
  }
  return networks;
}

std::vector<double> Networks::mean(const std::vector<double>& values) const {
  std::vector<double> result;
  for (const std::vector<std::size_t>& indices : members) {
    double sum = 0;
    for (const std::size_t i : indices) sum += values[i];
    result.push_back(sum / static_cast<double>(indices.size()));
  }
  return result;
}

learn::Matrix Networks::pooled_logits(const learn::Matrix& probabilities) const {
  learn::Matrix pooled = learn::Matrix::Zero(std::ssize(members), probabilities.cols());
  for (std::size_t n = 0; n < members.size(); ++n) {
    auto row = pooled.row(to_index(n));
    for (const std::size_t i : members[n]) row += probabilities.row(to_index(i));
    row /= static_cast<double>(members[n].size());
  }
  return learn::logits_of(pooled, true);
}

std::vector<int> network_labels(const Networks& networks, const std::vector<int>& labels) {
  std::vector<int> result;
  for (const std::vector<std::size_t>& members : networks.members) {
    result.push_back(labels[members.front()]);
    for (const std::size_t i : members)
      if (labels[i] != result.back()) return {};
  }
  return result;
}

std::string kind_of(const Metadata& metadata, std::int64_t row) {
  return metadata.column("architecture")[to_size(row)] + "|" + metadata.column("task")[to_size(row)];
}

learn::Matrix Identifier::logits(const learn::Samples& standardised) const {
  const learn::Matrix scores = model->scores(standardised);
  if (margins) return learn::logits_of(margins->probabilities(scores), true);
  return learn::logits_of(scores, scores_are_probabilities);
}

namespace {

/// Probabilities of samples with these logits; networks are of known kinds where the judgement doesn't say
/// yet.
Probabilities calibrated(const Identifier& identifier, const learn::Matrix& logits,
                         const Judgement& judgement) {
  const KnownKinds& known_kinds = identifier.known_kinds;
  const auto& new_kinds = identifier.new_kinds;
  Probabilities result;
  result.samples = known_kinds.samples.probabilities(logits);
  result.networks = known_kinds.networks.probabilities(
      judgement.networks.pooled_logits(votes(known_kinds.samples, logits)));
  if (std::ranges::find(judgement.is_known_kind, false) == judgement.is_known_kind.end()) return result;
  const std::vector<double> u = log_distances(judgement.distance, new_kinds->typical_distance);
  const learn::Matrix samples = new_kinds->samples.probabilities(logits, u),
                      networks = new_kinds->networks.probabilities(judgement.networks.pooled_logits(samples),
                                                                   judgement.networks.mean(u));
  for (std::size_t n = 0; n < judgement.networks.names.size(); ++n) {
    if (judgement.is_known_kind[n]) continue;
    result.networks.row(to_index(n)) = networks.row(to_index(n));
    for (const std::size_t i : judgement.networks.members[n])
      result.samples.row(to_index(i)) = samples.row(to_index(i));
  }
  return result;
}

/// Whether so typical networks, together, can't be of the training networks' kind although their name says
/// so: whether their mean typicality is lower than that of all but a fraction `refuse` of as many known
/// networks. Typicalities among `known` others are uniform, so that the variance of a mean of n is (1/n +
/// 1/known)/12.
bool are_atypical(const std::vector<double>& typicality, std::size_t known, double refuse) {
  const auto n = static_cast<double>(typicality.size()), m = static_cast<double>(known);
  const double mean = std::accumulate(typicality.begin(), typicality.end(), 0.0) / n;
  const double z = boost::math::quantile(boost::math::complement(boost::math::normal(), refuse));
  return mean < 0.5 - z * std::sqrt((1 / n + 1 / m) / 12);
}

}  // namespace

Probabilities Identifier::probabilities(const learn::Samples& standardised,
                                        const Judgement& judgement) const {
  return calibrated(*this, logits(standardised), judgement);
}

Judgement Identifier::judge(const FeatureTable& table, const Rows& rows, double refuse) const {
  const learn::Samples standardised = standardise(scaler, table, rows);
  const learn::Matrix z = logits(standardised);
  Judgement result;
  result.networks = Networks::of(*table.metadata, rows);
  const std::vector<int> nearest = learn::predicted_classes(calibrated(*this, z, result).networks);
  if (known) {
    result.distance = learn::nearest_distances(known->features, learn::compressed(standardised.series()));
    result.typicality = known->samples.typicality(result.distance);
    result.network_distance = result.networks.mean(log_distances(result.distance, 1));
    result.network_typicality = known->networks.typicality(result.network_distance, nearest);
  }
  std::map<std::string, std::vector<std::size_t>> by_known_kind;
  for (std::size_t n = 0; n < result.networks.names.size(); ++n) {
    const std::string kind = kind_of(*table.metadata, rows[result.networks.members[n].front()]);
    const bool is_known = known_kinds.names.contains(kind);
    result.is_known_kind.push_back(!new_kinds || (is_known && result.network_typicality[n] > refuse));
    if (is_known) by_known_kind[kind].push_back(n);
    if (new_kinds && !is_known && !new_kinds->left_out.distance().empty())
      result.network_typicality[n] = new_kinds->left_out.typicality({result.network_distance[n]}).front();
  }
  // Other data, schedules or programs make another kind of the same architecture and task.
  if (new_kinds && refuse > 0)
    for (const auto& [kind, members] : by_known_kind) {
      std::vector<double> typicality;
      for (const std::size_t n : members) typicality.push_back(result.network_typicality[n]);
      if (members.size() > 1 && are_atypical(typicality, known->networks.distance().size(), refuse))
        for (const std::size_t n : members) result.is_known_kind[n] = false;
    }
  result.probabilities = calibrated(*this, z, result);

  const std::vector<double> none(rows.size(), 0.0);  // distance plays no part within known kinds
  result.p_values.samples = known_kinds.sample_sets.p_values(result.probabilities.samples, none);
  result.p_values.networks = known_kinds.network_sets.p_values(
      result.probabilities.networks, std::vector<double>(result.networks.names.size(), 0.0));
  if (std::ranges::find(result.is_known_kind, false) == result.is_known_kind.end()) return result;
  const learn::Matrix p_values = new_kinds->sets.p_values(
      result.probabilities.samples, log_distances(result.distance, new_kinds->typical_distance));
  for (std::size_t n = 0; n < result.networks.names.size(); ++n) {
    if (result.is_known_kind[n]) continue;
    auto of_network = result.p_values.networks.row(to_index(n));
    of_network.setZero();
    for (const std::size_t i : result.networks.members[n]) {
      result.p_values.samples.row(to_index(i)) = p_values.row(to_index(i));
      of_network += p_values.row(to_index(i)) / static_cast<double>(result.networks.members[n].size());
    }
  }
  return result;
}

SetFigures set_figures(const learn::Matrix& p_values, const std::vector<int>& labels, double confidence) {
  SetFigures result;
  const auto n = static_cast<double>(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::vector<std::size_t> set = learn::conformal_set(p_values.row(to_index(i)), confidence);
    result.size += static_cast<double>(set.size()) / n;
    result.held.push_back(std::ranges::find(set, to_size(labels[i])) != set.end() ? 1 : 0);
    result.coverage += result.held.back() / n;
  }
  return result;
}

namespace {

/// Everything a Training's folds held out: rows by inner fold, then far ones, which occur once in every fold
/// that holds them out.
struct HeldOut {
  learn::Matrix scores;                          // [m, classes]
  std::vector<std::size_t> index;                // [m] into the training rows
  std::vector<double> distance;                  // [m]
  std::vector<std::vector<std::size_t>> groups;  // the samples of a network in a fold

  void append(const FarFold& fold, const Training& training) {
    const std::size_t before = index.size();
    learn::Matrix both(scores.rows() + fold.scores.rows(), scores.cols());
    both << scores, fold.scores;
    scores = std::move(both);
    index.insert(index.end(), fold.held_out.begin(), fold.held_out.end());
    distance.insert(distance.end(), fold.distance.begin(), fold.distance.end());
    Rows rows;
    for (const std::size_t i : fold.held_out) rows.push_back(training.rows[i]);
    for (std::vector<std::size_t> members : Networks::of(*training.table.metadata, rows).members) {
      for (std::size_t& i : members) i += before;
      groups.push_back(std::move(members));
    }
  }
};

NewKinds fit_new_kinds(const Identifier& identifier, const Training& training, const HeldOut& held_out,
                       const Networks& networks) {
  NewKinds result;
  result.typical_distance =
      median({held_out.distance.begin(), held_out.distance.begin() + std::ssize(training.rows)});
  if (!(result.typical_distance > 0)) result.typical_distance = 1;
  const std::vector<double> u = log_distances(held_out.distance, result.typical_distance);
  std::vector<double> weight_of_row(training.rows.size());
  for (const std::vector<std::size_t>& members : networks.members)
    for (const std::size_t i : members) weight_of_row[i] = 1 / static_cast<double>(members.size());
  std::vector<int> labels;
  std::vector<double> weights;
  for (const std::size_t i : held_out.index) {
    labels.push_back(training.target.labels[to_size(training.rows[i])]);
    weights.push_back(weight_of_row[i]);
  }
  const learn::Matrix z = identifier.margins
                              ? learn::logits_of(identifier.margins->probabilities(held_out.scores), true)
                              : learn::logits_of(held_out.scores, identifier.scores_are_probabilities);
  result.samples = learn::DistanceCalibration(z, labels, u, weights);
  const learn::Matrix p = result.samples.probabilities(z, u);
  result.sets = learn::Conformal(conformal_scores(p, labels), u, weights);

  const Networks pools{.names = {}, .members = held_out.groups};
  const std::vector<double> pool_u = pools.mean(u);
  const std::vector<int> pool_labels = network_labels(pools, labels);
  result.farthest = *std::ranges::max_element(pool_u);
  if (!pool_labels.empty())
    result.networks = learn::DistanceCalibration(pools.pooled_logits(p), pool_labels, pool_u,
                                                 std::vector<double>(pool_u.size(), 1.0));
  return result;
}

}  // namespace

FittedIdentifier fit_identifier(const learn::Classifier& classifier, const Training& training, Key key) {
  std::vector<InnerFold> inner(to_size(training.inner_folds));
  parallel_each(inner.size(), [&](std::size_t fold) {
    inner[fold] = inner_fold(classifier, training, static_cast<int>(fold), key.with("inner").with(fold));
  });

  const std::vector<learn::Setting> settings =
      training.setting ? std::vector{*training.setting} : classifier.settings();
  FittedIdentifier result;
  result.inner_accuracy = -1;
  result.computed = inner.front().computed;
  result.coinciding = inner.front().coinciding;
  result.skipped = inner.front().skipped;
  std::size_t best = 0;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    double mean = 0;
    for (const InnerFold& fold : inner) mean += fold.accuracy[s] / training.inner_folds;
    if (mean > result.inner_accuracy) {  // false for NaN
      result.inner_accuracy = mean;
      result.chosen = settings[s];
      best = s;
    }
  }
  if (result.chosen.empty())
    bad_input(
        "the data admit no point of the grid (a kernel longer than a trajectory of {}, or more "
        "components than the rank): expected a wider grid",
        counted(training.table.layout.points, "point"));

  Identifier& identifier = result.identifier;
  identifier.classes = training.target.classes;
  identifier.layout = training.table.layout;
  identifier.scores_are_probabilities = classifier.scores_are_probabilities();

  // Predictions of the chosen setting for every training sample while it was held out.
  HeldOut held_out{.scores = learn::Matrix(std::ssize(training.rows), std::ssize(training.target.classes)),
                   .index = {},
                   .distance = std::vector<double>(training.rows.size()),
                   .groups = {}};
  for (std::size_t i = 0; i < training.rows.size(); ++i) held_out.index.push_back(i);
  for (const InnerFold& fold : inner)
    for (std::size_t i = 0; i < fold.held_out.size(); ++i) {
      held_out.scores.row(to_index(fold.held_out[i])) = fold.scores[best].row(to_index(i));
      if (with_distances(training)) held_out.distance[fold.held_out[i]] = fold.distance[i];
    }
  const std::vector<int> labels = training.target.labels_of(training.rows);
  if (!identifier.scores_are_probabilities && training.calibration != "none")
    identifier.margins.emplace(held_out.scores, labels);
  const learn::Matrix logits =
      identifier.margins ? learn::logits_of(identifier.margins->probabilities(held_out.scores), true)
                         : learn::logits_of(held_out.scores, identifier.scores_are_probabilities);
  const Networks networks = Networks::of(*training.table.metadata, training.rows);
  held_out.groups = networks.members;
  KnownKinds& kinds = identifier.known_kinds;
  for (const std::int64_t row : training.rows) kinds.names.insert(kind_of(*training.table.metadata, row));
  kinds.samples = learn::Calibration(training.calibration, logits, labels);
  const learn::Matrix probabilities = kinds.samples.probabilities(logits);
  const learn::Matrix pooled = networks.pooled_logits(votes(kinds.samples, logits));
  const std::vector<int> of_networks = network_labels(networks, labels);
  // One parameter, whatever the method for samples, since networks are few.
  kinds.networks =
      learn::Calibration(training.calibration == "none" ? "none" : "temperature", pooled, of_networks);
  std::vector<double> weights(labels.size());
  for (const std::vector<std::size_t>& members : networks.members)
    for (const std::size_t i : members) weights[i] = 1 / static_cast<double>(members.size());
  kinds.sample_sets = learn::Conformal(conformal_scores(probabilities, labels),
                                       std::vector<double>(labels.size(), 0.0), std::move(weights));
  kinds.network_sets = learn::Conformal(conformal_scores(kinds.networks.probabilities(pooled), of_networks),
                                        std::vector<double>(of_networks.size(), 0.0),
                                        std::vector<double>(of_networks.size(), 1.0));

  if (with_distances(training))
    identifier.known = {
        .features = {},
        .samples = learn::NoveltyReference({held_out.distance}),
        .networks = learn::NoveltyReference(networks.mean(log_distances(held_out.distance, 1)), of_networks)};
  if (training.with_new_kinds) {
    const auto groups = far_groups(training);
    std::vector<FarFold> folds(groups.size());
    parallel_each(folds.size(), [&](std::size_t f) {
      folds[f] = far_fold(classifier, training, result.chosen, groups[f].first, groups[f].second,
                          key.with("far").with(f));
    });
    for (const FarFold& fold : folds)
      if (!fold.held_out.empty()) held_out.append(fold, training);
    identifier.new_kinds = fit_new_kinds(identifier, training, held_out, networks);
    identifier.new_kinds->left_out = learn::NoveltyReference(distances_of_kinds(training));
  }

  check_interrupt();
  identifier.scaler = fit_scaler(training.table, training.rows);
  const learn::Samples all = standardise(identifier.scaler, training.table, training.rows, training.target);
  identifier.model = classifier.fit(all, result.chosen, key.with("outer"));
  const std::vector<double> importances = identifier.model->importances();
  for (std::size_t c = 0; c < importances.size(); ++c)
    result.importances[identifier.layout.group_name(to_index(c))] += importances[c];
  if (identifier.known) identifier.known->features = learn::rounded(learn::compressed(all.series()));
  return result;
}

}  // namespace lrid::identify
