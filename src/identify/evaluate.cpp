#include "evaluate.hpp"

#include <algorithm>
#include <set>

#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

namespace {

namespace name = io::extra_name;

/// Fraction of the samples refused when a fraction `refuse` of the known ones may be.
double fraction_refused(const std::vector<double>& typicality, double refuse) {
  const auto refused = std::ranges::count_if(typicality, [&](double p) { return is_refused(p, refuse); });
  return static_cast<double>(refused) / static_cast<double>(typicality.size());
}

/// Figures of the verdicts per network; none if a network's layers differ in class.
void add_network_figures(const Judgement& judgement, const std::vector<int>& labels, double confidence,
                         TestResult& result) {
  std::vector<int> actual;
  for (const std::vector<std::size_t>& members : judgement.networks.members) {
    actual.push_back(labels[members.front()]);
    if (std::ranges::any_of(members, [&](std::size_t i) { return labels[i] != actual.back(); })) return;
  }
  const learn::Matrix& probabilities = judgement.probabilities.networks;
  result.network_predicted = learn::predicted_classes(probabilities);
  result.figures[name::network_accuracy] = learn::accuracy(result.network_predicted, actual);
  result.figures[name::network_calibration_error] =
      learn::calibration_error(learn::reliability(probabilities, actual));
  SetFigures sets = set_figures(judgement.p_values.networks, actual, confidence);
  result.figures[name::network_coverage] = sets.coverage;
  result.figures[name::network_set_size] = sets.size;
  result.network_held = std::move(sets.held);
}

void add_novelty_figures(const Judgement& known, const Judgement& unknown, double refuse, bool by_network,
                         TestResult& result) {
  result.unknown.samples = unknown.typicality;
  std::map<std::string, double>& figures = result.figures;
  figures[name::auroc_uncertainty] = learn::auroc(learn::entropies(known.probabilities.samples),
                                                  learn::entropies(unknown.probabilities.samples));
  figures[name::auroc_distance] = learn::auroc(known.distance, unknown.distance);
  figures[name::auroc_novelty] = auroc_of_typicality(known.typicality, unknown.typicality);
  figures[name::known_refused] = fraction_refused(known.typicality, refuse);
  figures[name::unknown_refused] = fraction_refused(unknown.typicality, refuse);
  if (!by_network) return;
  result.unknown.networks = unknown.network_typicality;
  figures[name::network_auroc] = auroc_of_typicality(known.network_typicality, unknown.network_typicality);
  figures[name::network_known_refused] = fraction_refused(known.network_typicality, refuse);
  figures[name::network_unknown_refused] = fraction_refused(unknown.network_typicality, refuse);
}

/// Whether the test part has networks of an architecture and task that the training part lacks.
bool tests_new_kinds(const Condition& condition, const Split& split) {
  const Metadata& metadata = *condition.train->metadata;
  std::set<std::string> known;
  for (const std::int64_t row : split.train) known.insert(kind_of(metadata, row));
  return std::ranges::any_of(split.test,
                             [&](std::int64_t row) { return !known.contains(kind_of(metadata, row)); });
}

/// Feature groups (observables, measures, layer_position) → the columns permuted together.
std::map<std::string, std::vector<Eigen::Index>> permuted_groups(const FeatureLayout& layout) {
  std::map<std::string, std::vector<Eigen::Index>> groups;
  for (std::int64_t c = 0; c < layout.columns(); ++c) {
    const std::string group = layout.group_name(c);
    groups[group].push_back(c);
    for (const std::string& measure : measure_names()) {
      if (measure == io::measure_name::all) continue;
      const std::vector<std::string> members = observables_of_measure(measure);
      if (std::ranges::find(members, group) != members.end()) groups[measure].push_back(c);
    }
  }
  return groups;
}

void add_permutation_figures(const Identifier& identifier, const FeatureTable& table, const Rows& rows,
                             const std::vector<int>& labels, int permutations, Key key, TestResult& result) {
  const learn::Samples samples = standardise(identifier.scaler, table, rows);
  const double whole = learn::accuracy(result.predicted, labels);
  for (const auto& [group, columns] : permuted_groups(table.layout)) {
    double loss = 0;
    for (int i = 0; i < permutations; ++i) {
      check_interrupt();
      const std::vector<std::int64_t> order =
          permutation(samples.size(), key.with(group).with(static_cast<std::uint64_t>(i)));
      learn::Samples permuted = samples;
      for (Eigen::Index row = 0; row < samples.x.rows(); ++row)
        for (const Eigen::Index c : columns) permuted.x(row, c) = samples.x(order[to_size(row)], c);
      loss += whole - learn::accuracy(learn::predicted_classes(identifier.logits(permuted)), labels);
    }
    result.figures[std::string(name::permuted) + group] = loss / permutations;
  }
}

}  // namespace

bool is_refused(double typicality, double refuse) {
  return typicality <= refuse;
}

double auroc_of_typicality(const std::vector<double>& known, const std::vector<double>& unknown) {
  return learn::auroc(unknown, known);
}

CellResult evaluate(const learn::Classifier& classifier, const Condition& condition, std::size_t split_index,
                    const Protocol& protocol, Key key, const std::optional<learn::Setting>& setting) {
  const Split& split = condition.plan->splits[split_index];
  const Target& target = *condition.target;
  FittedIdentifier fitted = fit_identifier(classifier,
                                           {.table = *condition.train,
                                            .target = target,
                                            .rows = split.train,
                                            .inner = split.inner,
                                            .inner_folds = condition.plan->inner_folds,
                                            .calibration = protocol.calibration,
                                            .with_known = !condition.unknown.empty(),
                                            .with_new_kinds = tests_new_kinds(condition, split),
                                            .setting = setting},
                                           key);
  CellResult cell{.chosen = std::move(fitted.chosen),
                  .inner_accuracy = fitted.inner_accuracy,
                  .tests = {},
                  .importances = std::move(fitted.importances),
                  .computed = fitted.computed,
                  .coinciding = fitted.coinciding,
                  .skipped = fitted.skipped};
  const bool by_network = condition.plan->kind == SplitKind::network;
  const std::vector<int> labels = target.labels_of(split.test);
  for (const Test& test : condition.tests) {
    const Judgement judgement = fitted.identifier.judge(*test.table, split.test);
    const learn::Matrix& probabilities = judgement.probabilities.samples;
    TestResult result{.predicted = learn::predicted_classes(probabilities),
                      .network_predicted = {},
                      .held = {},
                      .network_held = {},
                      .known = {judgement.typicality, {}},
                      .unknown = {},
                      .figures = {{name::log_loss, learn::log_loss(probabilities, labels)}},
                      .reliability = learn::reliability(probabilities, labels)};
    result.figures[name::calibration_error] = learn::calibration_error(result.reliability);
    SetFigures sets = set_figures(judgement.p_values.samples, labels, protocol.confidence);
    result.figures[name::coverage] = sets.coverage;
    result.figures[name::set_size] = sets.size;
    result.held = std::move(sets.held);
    if (by_network) result.known.networks = judgement.network_typicality;
    if (by_network) add_network_figures(judgement, labels, protocol.confidence, result);
    if (by_network && !judgement.network_typicality.empty() && condition.unknown.empty())
      result.figures[name::network_refused] = fraction_refused(judgement.network_typicality, protocol.refuse);
    if (!condition.unknown.empty())
      add_novelty_figures(judgement, fitted.identifier.judge(*test.table, condition.unknown), protocol.refuse,
                          by_network, result);
    if (condition.permutations > 0)
      add_permutation_figures(fitted.identifier, *test.table, split.test, labels, condition.permutations,
                              key.with("permutations"), result);
    cell.tests.push_back(std::move(result));
  }
  return cell;
}

}  // namespace lrid::identify
