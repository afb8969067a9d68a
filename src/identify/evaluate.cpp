#include <algorithm>
#include <limits>

#include <lrid/core/interrupt.hpp>
#include <lrid/identify/evaluate.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

namespace {

/// Share of the samples that are refused when this share of the known ones may be.
double share_refused(const std::vector<double>& typicality, double refuse) {
  const auto refused = std::ranges::count_if(typicality, [&](double p) { return p <= refuse; });
  return static_cast<double>(refused) / static_cast<double>(typicality.size());
}

/// Low typicality is what gives unknown samples away.
double auroc_of_typicality(const std::vector<double>& known, const std::vector<double>& unknown) {
  return learn::auroc(unknown, known);
}

/// Verdicts per network, where each has one class.
void add_network_figures(const Judgement& judgement, const std::vector<int>& labels, TestResult& result) {
  std::vector<int> actual;
  for (const std::vector<std::size_t>& members : judgement.networks.members) {
    actual.push_back(labels[members.front()]);
    if (std::ranges::any_of(members, [&](std::size_t i) { return labels[i] != actual.back(); })) return;
  }
  const learn::Matrix& probabilities = judgement.network_probabilities;
  result.figures[io::extra_name::network_accuracy] =
      learn::accuracy(learn::predicted_classes(probabilities), actual);
  result.figures[io::extra_name::network_calibration_error] =
      learn::calibration_error(learn::reliability(probabilities, actual));
}

void add_novelty_figures(const Judgement& known, const Judgement& unknown, double refuse, bool by_network,
                         TestResult& result) {
  std::map<std::string, double>& figures = result.figures;
  figures[io::extra_name::auroc_uncertainty] = learn::auroc(known.uncertainty, unknown.uncertainty);
  figures[io::extra_name::auroc_distance] = learn::auroc(known.distance, unknown.distance);
  figures[io::extra_name::auroc_novelty] = auroc_of_typicality(known.typicality, unknown.typicality);
  figures[io::extra_name::known_refused] = share_refused(known.typicality, refuse);
  figures[io::extra_name::unknown_refused] = share_refused(unknown.typicality, refuse);
  if (!by_network) return;
  figures[io::extra_name::network_auroc] =
      auroc_of_typicality(known.network_typicality, unknown.network_typicality);
  figures[io::extra_name::network_known_refused] = share_refused(known.network_typicality, refuse);
  figures[io::extra_name::network_unknown_refused] = share_refused(unknown.network_typicality, refuse);
}

/// Names of groups of features → the columns that are permuted together.
std::map<std::string, std::vector<Eigen::Index>> permuted_groups(const FeatureLayout& layout) {
  std::map<std::string, std::vector<Eigen::Index>> groups;
  for (std::int64_t c = 0; c < layout.columns(); ++c) {
    const std::string name = layout.group_name(c);
    groups[name].push_back(c);
    for (const std::string& measure : measure_names()) {
      if (measure == "all") continue;
      const std::vector<std::string> members = observables_of_measure(measure);
      if (std::ranges::find(members, name) != members.end()) groups[measure].push_back(c);
    }
  }
  return groups;
}

void add_permutation_figures(const Identifier& identifier, const FeatureTable& table, const Rows& rows,
                             const std::vector<int>& labels, int permutations, Key key, TestResult& result) {
  const learn::Samples samples = standardise(identifier.scaler, table, rows);
  const double whole = learn::accuracy(result.predicted, labels);
  for (const auto& [name, columns] : permuted_groups(table.layout)) {
    double fall = 0;
    for (int i = 0; i < permutations; ++i) {
      check_interrupt();
      const std::vector<std::int64_t> order =
          permutation(samples.size(), key.with(name).with(static_cast<std::uint64_t>(i)));
      learn::Samples permuted = samples;
      for (Eigen::Index row = 0; row < samples.x.rows(); ++row)
        for (const Eigen::Index c : columns)
          permuted.x(row, c) = samples.x(order[static_cast<std::size_t>(row)], c);
      fall += whole - learn::accuracy(learn::predicted_classes(identifier.probabilities(permuted)), labels);
    }
    result.figures[std::string(io::extra_name::permuted) + name] = fall / permutations;
  }
}

}  // namespace

CellResult evaluate(const learn::Classifier& classifier, const Condition& condition, std::size_t split_index,
                    const Protocol& protocol, Key key) {
  const Split& split = condition.plan->splits[split_index];
  const Target& target = condition.target_at(split_index);
  FittedIdentifier fitted = fit_identifier(classifier,
                                           {.table = *condition.train,
                                            .target = target,
                                            .rows = split.train,
                                            .inner = split.inner,
                                            .inner_folds = condition.plan->inner_folds,
                                            .calibration = protocol.calibration,
                                            .with_known = !condition.unknown.empty()},
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
    TestResult result{
        .predicted = learn::predicted_classes(judgement.probabilities),
        .figures = {{io::extra_name::log_loss, learn::log_loss(judgement.probabilities, labels)}},
        .reliability = learn::reliability(judgement.probabilities, labels)};
    result.figures[io::extra_name::calibration_error] = learn::calibration_error(result.reliability);
    if (by_network) add_network_figures(judgement, labels, result);
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
