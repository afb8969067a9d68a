#include <algorithm>
#include <cmath>
#include <limits>

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
  std::vector<double> distance;  // [held_out]; empty unless Training::with_known
  std::int64_t computed = 0, coinciding = 0, skipped = 0;
};

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
  learn::GridOutcome grid = classifier.fit_grid(train, validation, key);
  result.scores = std::move(grid.scores);
  result.computed = grid.computed;
  result.coinciding = grid.coinciding;
  result.skipped = grid.skipped;
  for (const learn::Matrix& scores : result.scores)
    result.accuracy.push_back(scores.size() == 0
                                  ? std::numeric_limits<double>::quiet_NaN()
                                  : learn::accuracy(learn::predicted_classes(scores), validation.labels));
  if (training.with_known)
    result.distance = learn::nearest_distances(learn::compressed(train.x), learn::compressed(validation.x));
  return result;
}

/// [networks] classes; empty if the layers of a network differ in class (as when the target is the layer
/// position).
std::vector<int> network_labels(const Networks& networks, const std::vector<int>& labels) {
  std::vector<int> result;
  for (const std::vector<std::size_t>& members : networks.members) {
    result.push_back(labels[members.front()]);
    for (const std::size_t i : members)
      if (labels[i] != result.back()) return {};
  }
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
  const learn::Matrix logits = learn::logits_of(probabilities, true);
  learn::Matrix pooled = learn::Matrix::Zero(std::ssize(members), logits.cols());
  for (std::size_t n = 0; n < members.size(); ++n) {
    auto row = pooled.row(to_index(n));
    for (const std::size_t i : members[n]) row += logits.row(to_index(i));
    row /= static_cast<double>(members[n].size());
  }
  return pooled;
}

learn::Matrix Identifier::probabilities(const learn::Samples& standardised) const {
  return samples.probabilities(learn::logits_of(model->scores(standardised), scores_are_probabilities));
}

Judgement Identifier::judge(const FeatureTable& table, const Rows& rows) const {
  const learn::Samples standardised = standardise(scaler, table, rows);
  Judgement result;
  result.probabilities = probabilities(standardised);
  result.networks = Networks::of(*table.metadata, rows);
  result.network_probabilities = networks.probabilities(result.networks.pooled_logits(result.probabilities));
  if (!known) return result;
  result.uncertainty = learn::entropies(result.probabilities);
  result.distance = learn::nearest_distances(known->features, learn::compressed(standardised.x));
  result.typicality = known->samples.typicality(result.uncertainty, result.distance);
  result.network_uncertainty = learn::entropies(result.network_probabilities);
  result.network_distance = result.networks.mean(result.distance);
  result.network_typicality = known->networks.typicality(result.network_uncertainty, result.network_distance);
  return result;
}

FittedIdentifier fit_identifier(const learn::Classifier& classifier, const Training& training, Key key) {
  std::vector<InnerFold> inner(to_size(training.inner_folds));
  parallel_each(inner.size(), [&](std::size_t fold) {
    inner[fold] = inner_fold(classifier, training, static_cast<int>(fold), key.with("inner").with(fold));
  });

  const std::vector<learn::Setting> settings = classifier.settings();
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
  learn::Matrix logits(std::ssize(training.rows), std::ssize(training.target.classes));
  std::vector<double> distance(training.rows.size());
  for (const InnerFold& fold : inner) {
    const learn::Matrix of_fold = learn::logits_of(fold.scores[best], identifier.scores_are_probabilities);
    for (std::size_t i = 0; i < fold.held_out.size(); ++i) {
      logits.row(to_index(fold.held_out[i])) = of_fold.row(to_index(i));
      if (training.with_known) distance[fold.held_out[i]] = fold.distance[i];
    }
  }
  const std::vector<int> labels = training.target.labels_of(training.rows);
  identifier.samples = learn::Calibration(training.calibration, logits, labels);
  const learn::Matrix held_out = identifier.samples.probabilities(logits);
  const Networks networks = Networks::of(*training.table.metadata, training.rows);
  const learn::Matrix pooled = networks.pooled_logits(held_out);
  // One parameter, whatever the method for samples, since networks are few.
  identifier.networks = learn::Calibration(training.calibration == "none" ? "none" : "temperature", pooled,
                                           network_labels(networks, labels));

  check_interrupt();
  identifier.scaler = fit_scaler(training.table, training.rows);
  const learn::Samples all = standardise(identifier.scaler, training.table, training.rows, training.target);
  identifier.model = classifier.fit(all, result.chosen, key.with("outer"));
  const std::vector<double> importances = identifier.model->importances();
  for (std::size_t c = 0; c < importances.size(); ++c)
    result.importances[identifier.layout.group_name(to_index(c))] += importances[c];
  if (training.with_known)
    identifier.known = {
        .features = learn::compressed(all.x),
        .samples = {learn::entropies(held_out), distance},
        .networks = {learn::entropies(identifier.networks.probabilities(pooled)), networks.mean(distance)}};
  return result;
}

}  // namespace lrid::identify
