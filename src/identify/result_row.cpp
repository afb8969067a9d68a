#include "result_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <lrid/core/index.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/identify/uncertainty.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

namespace {

namespace key = io::condition_key;
namespace name = io::extra_name;

/// The networks of a split's test part, by name, with indices of their layers in it.
std::map<std::string, std::vector<std::size_t>> networks_of(const Condition& condition, std::size_t split) {
  const Networks networks = Networks::of(*condition.train->metadata, condition.plan->splits[split].test);
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < networks.names.size(); ++i) members[networks.names[i]] = networks.members[i];
  return members;
}

/// [i] 1 where the two agree, else 0.
std::vector<int> matches(const std::vector<int>& predicted, const std::vector<int>& labels) {
  std::vector<int> result(predicted.size());
  std::ranges::transform(predicted, labels, result.begin(), [](int p, int l) { return p == l ? 1 : 0; });
  return result;
}

/// [i] 1 where a sample or network of this typicality is refused, else 0.
std::vector<int> refused_among(const std::vector<double>& typicality, double refuse) {
  std::vector<int> result;
  for (const double p : typicality) result.push_back(is_refused(p, refuse) ? 1 : 0);
  return result;
}

/// The classes of a test part's networks, by first appearance.
std::vector<int> labels_of_networks(const Condition& condition, std::size_t split) {
  const Rows& test = condition.plan->splits[split].test;
  return network_labels(Networks::of(*condition.train->metadata, test), condition.target->labels_of(test));
}

/// For each tested network, by name, the sum of a count over its layers. `values`: [test rows].
std::vector<std::int64_t> by_layer(const Condition& condition, std::size_t split,
                                   const std::vector<int>& values) {
  std::vector<std::int64_t> result;
  for (const auto& [network, members] : networks_of(condition, split)) {
    std::int64_t& sum = result.emplace_back(0);
    for (const std::size_t i : members) sum += values[i];
  }
  return result;
}

/// The values of a test part's networks by name; `values`: by first appearance.
std::vector<std::int64_t> by_name(const Condition& condition, std::size_t split,
                                  const std::vector<int>& values) {
  const Networks networks = Networks::of(*condition.train->metadata, condition.plan->splits[split].test);
  std::map<std::string, std::int64_t> sorted;
  for (std::size_t i = 0; i < networks.names.size(); ++i) sorted[networks.names[i]] = values[i];
  std::vector<std::int64_t> result;
  for (const auto& [network, value] : sorted) result.push_back(value);
  return result;
}

/// Accuracy on the test part's layers at one position; NaN in splits without any.
io::Figure accuracy_at(const std::string& position, const Condition& condition, std::size_t test,
                       const std::vector<CellResult>& cells, const io::TestedNetworks& tested) {
  const std::vector<std::string>& positions = condition.train->metadata->column("layer_position");
  NetworkScores scores{.splits = {}, .overlap = tested.overlap};
  std::vector<double> accuracies;
  for (std::size_t s = 0; s < cells.size(); ++s) {
    const Rows& rows = condition.plan->splits[s].test;
    const std::vector<int> labels = condition.target->labels_of(rows);
    const std::vector<int>& predicted = cells[s].tests[test].predicted;
    std::vector<NetworkScore>& split = scores.splits.emplace_back();
    double correct = 0, all = 0;
    std::size_t next = 0;
    for (const auto& [network, members] : networks_of(condition, s)) {
      NetworkScore score{.network = network, .stratum = tested.labels[to_size(tested.network[s][next++])]};
      double of_network = 0;
      for (const std::size_t i : members) {
        if (positions[to_size(rows[i])] != position) continue;
        ++score.layers;
        of_network += predicted[i] == labels[i] ? 1 : 0;
      }
      if (score.layers == 0) continue;
      score.mean = of_network / score.layers;
      split.push_back(std::move(score));
      correct += of_network;
      all += split.back().layers;
    }
    accuracies.push_back(correct / all);
  }
  return with_uncertainty(io::Figure::of(std::move(accuracies)), scores);
}

/// Intervals of the figures on sets and refusals, whose values are 0 or 1 for each layer or verdict.
void add_intervals_of_shares(const Condition& condition, std::size_t test, double refuse,
                             const std::vector<CellResult>& cells, const io::TestedNetworks& tested,
                             std::map<std::string, io::Figure>& figures) {
  using OfResult = std::vector<int> (*)(const TestResult&, double);
  const auto known = [&](const char* figure, bool of_layers, OfResult of) {
    const auto found = figures.find(figure);
    if (found == figures.end()) return;
    std::vector<std::vector<std::int64_t>> counts;
    for (std::size_t s = 0; s < cells.size(); ++s) {
      const std::vector<int> values = of(cells[s].tests[test], refuse);
      if (values.empty()) return;
      counts.push_back(of_layers ? by_layer(condition, s, values) : by_name(condition, s, values));
    }
    found->second = with_uncertainty(
        std::move(found->second), of_layers ? layer_scores(tested, counts) : verdict_scores(tested, counts));
  };
  known(name::coverage, true, [](const TestResult& r, double) { return r.held; });
  known(name::network_coverage, false, [](const TestResult& r, double) { return r.network_held; });
  const OfResult refused_layers = [](const TestResult& r, double at) {
    return refused_among(r.known.samples, at);
  };
  const OfResult refused_networks = [](const TestResult& r, double at) {
    return refused_among(r.known.networks, at);
  };
  known(name::known_refused, true, refused_layers);
  known(name::network_refused, false, refused_networks);
  known(name::network_known_refused, false, refused_networks);

  // The same networks of unknown classes are presented in every split.
  const Networks networks = Networks::of(*condition.train->metadata, condition.unknown);
  const auto unknown = [&](const char* figure, bool of_layers) {
    const auto found = figures.find(figure);
    if (found == figures.end()) return;
    NetworkScores scores{.splits = {}, .overlap = 1};
    for (const CellResult& cell : cells) {
      const Typicality& typicality = cell.tests[test].unknown;
      const std::vector<int> refused =
          refused_among(of_layers ? typicality.samples : typicality.networks, refuse);
      std::vector<NetworkScore>& split = scores.splits.emplace_back();
      for (std::size_t n = 0; n < networks.names.size(); ++n) {
        double sum = of_layers ? 0 : refused[n];
        if (of_layers)
          for (const std::size_t i : networks.members[n]) sum += refused[i];
        const double layers = of_layers ? static_cast<double>(networks.members[n].size()) : 1;
        split.push_back({.network = networks.names[n], .stratum = 0, .layers = layers, .mean = sum / layers});
      }
    }
    found->second = with_uncertainty(std::move(found->second), scores);
  };
  unknown(name::unknown_refused, true);
  unknown(name::network_unknown_refused, false);
}

/// Values of one side of an AUROC: [networks] those of each network.
using ByNetwork = std::vector<std::vector<double>>;

std::vector<double> flattened(const ByNetwork& networks) {
  std::vector<double> values;
  for (const std::vector<double>& network : networks)
    values.insert(values.end(), network.begin(), network.end());
  return values;
}

/// The AUROC of typicality with each known (first) and each unknown network left out.
std::array<std::vector<double>, 2> auroc_without_each(const ByNetwork& known, const ByNetwork& unknown) {
  const std::vector<double> all_known = flattened(known), all_unknown = flattened(unknown);
  const auto m = static_cast<double>(all_known.size()), n = static_cast<double>(all_unknown.size());
  const double won = auroc_of_typicality(all_known, all_unknown) * m * n;
  std::array<std::vector<double>, 2> result;
  for (const std::vector<double>& network : known) {
    const auto k = static_cast<double>(network.size());
    result[0].push_back((won - auroc_of_typicality(network, all_unknown) * k * n) / ((m - k) * n));
  }
  for (const std::vector<double>& network : unknown) {
    const auto k = static_cast<double>(network.size());
    result[1].push_back((won - auroc_of_typicality(all_known, network) * m * k) / (m * (n - k)));
  }
  return result;
}

/// Values of networks by kind, since the design fixes how many there are of each; together where a kind has
/// one network only.
std::vector<std::vector<double>> by_kind(const Metadata& metadata, const Rows& rows, const Networks& networks,
                                         const std::vector<double>& values) {
  std::map<std::string, std::vector<double>> strata;
  for (std::size_t n = 0; n < values.size(); ++n)
    strata[kind_of(metadata, rows[networks.members[n].front()])].push_back(values[n]);
  if (std::ranges::any_of(strata, [](const auto& stratum) { return stratum.second.size() < 2; }))
    return {values};
  std::vector<std::vector<double>> result;
  for (auto& [kind, members] : strata) result.push_back(std::move(members));
  return result;
}

/// Intervals of how well unknown samples and networks stand out.
void add_intervals_of_auroc(const Condition& condition, std::size_t test,
                            const std::vector<CellResult>& cells, double overlap,
                            std::map<std::string, io::Figure>& figures) {
  const Metadata& metadata = *condition.train->metadata;
  const Networks unknown = Networks::of(metadata, condition.unknown);
  const auto grouped = [](const Networks& networks, const std::vector<double>& values, bool of_layers) {
    ByNetwork result(networks.names.size());
    for (std::size_t n = 0; n < result.size(); ++n)
      if (of_layers)
        for (const std::size_t i : networks.members[n]) result[n].push_back(values[i]);
      else
        result[n].push_back(values[n]);
    return result;
  };
  for (const auto& [figure, of_layers] :
       {std::pair{name::auroc_novelty, true}, {name::network_auroc, false}}) {
    const auto found = figures.find(figure);
    if (found == figures.end()) continue;
    // Splits may differ in whether a side can be stratified: each side's variance is taken by itself.
    double variance = 0;
    std::size_t fewest = unknown.names.size();
    std::set<std::string> all_known;
    for (std::size_t s = 0; s < cells.size(); ++s) {
      const Rows& test_rows = condition.plan->splits[s].test;
      const Networks known = Networks::of(metadata, test_rows);
      const TestResult& result = cells[s].tests[test];
      fewest = std::min(fewest, known.names.size());
      all_known.insert(known.names.begin(), known.names.end());
      const auto without = auroc_without_each(
          grouped(known, of_layers ? result.known.samples : result.known.networks, of_layers),
          grouped(unknown, of_layers ? result.unknown.samples : result.unknown.networks, of_layers));
      const auto count = static_cast<double>(cells.size());
      const auto add = [&](std::vector<std::vector<double>> strata, double shared) {
        const std::vector<double> once(strata.size(), 1.0);
        variance += jackknife_variance({{std::move(strata)}}, once) * variance_factor(shared, count) / count;
      };
      add(by_kind(metadata, test_rows, known, without[0]), overlap);
      add(by_kind(metadata, condition.unknown, unknown, without[1]), 1);
    }
    if (!std::isfinite(variance) || !std::isfinite(found->second.mean)) continue;
    // An AUROC is a share: Wilson's interval. Without variance, the smaller side's networks are all there is.
    const NetworkMean mean{
        .mean = found->second.mean,
        .variance = variance,
        .networks = to_index(fewest),
        .layers = to_index(unknown.names.size() + all_known.size()),
        .degrees_of_freedom = static_cast<double>(unknown.names.size() + all_known.size() - 2)};
    found->second.interval = mean.interval();
  }
}

/// [class] intervals of d′ over networks; NaN where a class has too few.
std::vector<Interval> dprime_intervals(const Condition& condition, std::size_t test,
                                       const std::vector<CellResult>& cells, const io::ResultRow& row) {
  const io::TestedNetworks& tested = *row.tested;
  const std::set<std::int64_t> classes(tested.labels.begin(), tested.labels.end());
  std::vector<std::vector<LeaveOneOut>> by_class(row.labels.size());
  for (std::size_t s = 0; s < cells.size(); ++s) {
    const std::vector<int> labels = condition.target->labels_of(condition.plan->splits[s].test);
    const std::vector<int>& predicted = cells[s].tests[test].predicted;
    for (std::vector<LeaveOneOut>& splits : by_class) splits.emplace_back().strata.resize(classes.size());
    std::size_t next = 0;
    for (const auto& [network, members] : networks_of(condition, s)) {
      const std::int64_t label = tested.labels[to_size(tested.network[s][next++])];
      const auto stratum = to_size(std::distance(classes.begin(), classes.find(label)));
      learn::Confusion without = row.confusion[s];
      for (const std::size_t i : members) --without[to_size(labels[i])][to_size(predicted[i])];
      const std::vector<double> dprime = learn::d_prime(without);
      for (std::size_t c = 0; c < by_class.size(); ++c)
        by_class[c].back().strata[stratum].push_back(dprime[c]);
    }
  }
  std::vector<Interval> intervals;
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    double mean = 0;
    for (const std::vector<double>& split : row.dprime)
      mean += split[c] / static_cast<double>(row.dprime.size());
    intervals.push_back(
        t_interval(mean, jackknife_variance(by_class[c], std::vector<double>(classes.size(), tested.overlap)),
                   static_cast<double>(tested.names.size()) - static_cast<double>(classes.size())));
  }
  return intervals;
}

/// Mean number of rows on one side of the splits, rounded.
std::int64_t mean_size(const SplitPlan& plan, Rows Split::*side) {
  double sum = 0;
  for (const Split& split : plan.splits) sum += static_cast<double>((split.*side).size());
  return std::lround(sum / static_cast<double>(plan.splits.size()));
}

}  // namespace

io::TestedNetworks tested_networks(const Condition& condition) {
  const SplitPlan& plan = *condition.plan;
  io::TestedNetworks tested{.names = {}, .labels = {}, .network = {}, .layers = {}, .overlap = plan.overlap};
  std::map<std::string, std::int64_t> label_of;
  for (std::size_t s = 0; s < plan.splits.size(); ++s)
    for (const auto& [network, members] : networks_of(condition, s))
      for (const std::size_t i : members) {
        const std::int64_t label = condition.target->labels[to_size(plan.splits[s].test[i])];
        const auto [entry, is_new] = label_of.try_emplace(network, label);
        if (!is_new && entry->second != label) entry->second = -1;
      }
  std::map<std::string, std::int64_t> index_of;
  for (const auto& [network, label] : label_of) {
    index_of[network] = std::ssize(tested.names);
    tested.names.push_back(network);
    tested.labels.push_back(label);
  }
  for (std::size_t s = 0; s < plan.splits.size(); ++s) {
    tested.network.emplace_back();
    tested.layers.emplace_back();
    for (const auto& [network, members] : networks_of(condition, s)) {
      tested.network.back().push_back(index_of.at(network));
      tested.layers.back().push_back(std::ssize(members));
    }
  }
  return tested;
}

io::ResultRow result_row(const std::string& classifier, const Condition& condition, std::size_t test,
                         const std::vector<CellResult>& cells,
                         std::shared_ptr<const io::TestedNetworks> tested, double refuse) {
  const SplitPlan& plan = *condition.plan;
  io::ResultRow row{.classifier = classifier,
                    .condition = condition.labels,
                    .accuracy = {},
                    .confusion = {},
                    .labels = condition.target->classes,
                    .dprime = {},
                    .balanced_accuracy = {},
                    .hyperparameters = {},
                    .importances = {},
                    .n_train = mean_size(plan, &Split::train),
                    .n_test = mean_size(plan, &Split::test),
                    .n_networks = plan.networks,
                    .extra = {},
                    .reliability = {}};
  row.condition.insert(condition.tests[test].labels.begin(), condition.tests[test].labels.end());
  std::vector<double> accuracies, inner;
  std::map<std::string, std::vector<double>> by_observable;
  std::map<std::string, std::vector<double>> figures;
  for (std::size_t s = 0; s < cells.size(); ++s) {
    const TestResult& result = cells[s].tests[test];
    row.confusion.push_back(learn::confusion_matrix(condition.target->labels_of(plan.splits[s].test),
                                                    result.predicted,
                                                    static_cast<int>(condition.target->classes.size())));
    accuracies.push_back(learn::accuracy(row.confusion.back()));
    row.dprime.push_back(learn::d_prime(row.confusion.back()));
    row.balanced_accuracy.push_back(learn::balanced_accuracy(row.confusion.back()));
    row.hyperparameters.push_back(cells[s].chosen);
    for (const auto& [name, value] : cells[s].importances) {
      row.importances[name] += value / static_cast<double>(cells.size());
      std::vector<double>& sums = by_observable[io::observable_of_feature(name)];
      sums.resize(cells.size());
      sums[s] += value;
    }
    inner.push_back(cells[s].inner_accuracy);
    row.correct.push_back(
        by_layer(condition, s, matches(result.predicted, condition.target->labels_of(plan.splits[s].test))));
    if (!result.network_predicted.empty())
      row.network_correct.push_back(
          by_name(condition, s, matches(result.network_predicted, labels_of_networks(condition, s))));
    for (const auto& [name, value] : result.figures) figures[name].push_back(value);
    row.reliability.resize(result.reliability.size());
    for (std::size_t b = 0; b < result.reliability.size(); ++b) {
      row.reliability[b].count += result.reliability[b].count;
      row.reliability[b].confidence += result.reliability[b].confidence;
      row.reliability[b].right += result.reliability[b].right;
    }
  }
  row.tested = std::move(tested);
  // Split by sample, networks are on both sides: that they are recognised is no evidence against chance.
  const auto level = plan.kind == SplitKind::network
                         ? std::optional(1.0 / static_cast<double>(condition.target->classes.size()))
                         : std::nullopt;
  row.accuracy = with_uncertainty(io::Figure::of(accuracies), layer_scores(row), level);
  for (auto& [name, sums] : by_observable) row.observable_importances[name] = io::Figure::of(std::move(sums));
  row.extra[name::accuracy_inner_folds] = io::Figure::of(inner);
  for (auto& [name, values] : figures) row.extra[name] = io::Figure::of(std::move(values));
  if (const auto found = row.extra.find(name::network_accuracy); found != row.extra.end())
    found->second = with_uncertainty(std::move(found->second), verdict_scores(row), level);
  add_intervals_of_shares(condition, test, refuse, cells, *row.tested, row.extra);
  if (!condition.unknown.empty())
    add_intervals_of_auroc(condition, test, cells, row.tested->overlap, row.extra);
  row.dprime_intervals = dprime_intervals(condition, test, cells, row);
  constexpr std::array positions = {"early", "middle", "deep"};
  if (!condition.labels.contains(key::position))
    for (std::size_t p = 0; p < positions.size(); ++p)
      row.extra[name::accuracy_at_position[p]] =
          accuracy_at(positions[p], condition, test, cells, *row.tested);
  return row;
}

}  // namespace lrid::identify
