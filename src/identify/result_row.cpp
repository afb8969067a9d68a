#include "result_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include <lrid/core/index.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/identify/uncertainty.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

/// The networks of a split's test part, by name, with indices of their layers in it.
std::map<std::string, std::vector<std::size_t>> networks_of(const Condition& condition, std::size_t split) {
  const Networks networks = Networks::of(*condition.train->metadata, condition.plan->splits[split].test);
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < networks.names.size(); ++i) members[networks.names[i]] = networks.members[i];
  return members;
}

/// For each tested network, the number of its layers that are right.
std::vector<std::int64_t> correct_layers(const Condition& condition, std::size_t split,
                                         const std::vector<int>& predicted) {
  const std::vector<int> labels = condition.target->labels_of(condition.plan->splits[split].test);
  std::vector<std::int64_t> result;
  for (const auto& [network, members] : networks_of(condition, split))
    result.push_back(
        std::ranges::count_if(members, [&](std::size_t i) { return predicted[i] == labels[i]; }));
  return result;
}

/// For each tested network, whether the verdict on it is right. `predicted`: by first appearance in the test
/// part.
std::vector<std::int64_t> correct_verdicts(const Condition& condition, std::size_t split,
                                           const std::vector<int>& predicted) {
  const Rows& test = condition.plan->splits[split].test;
  const Networks networks = Networks::of(*condition.train->metadata, test);
  std::map<std::string, std::int64_t> correct;
  for (std::size_t i = 0; i < networks.names.size(); ++i)
    correct[networks.names[i]] =
        predicted[i] == condition.target->labels[to_size(test[networks.members[i].front()])] ? 1 : 0;
  std::vector<std::int64_t> result;
  for (const auto& [network, is_correct] : correct) result.push_back(is_correct);
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
                         std::shared_ptr<const io::TestedNetworks> tested) {
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
    row.correct.push_back(correct_layers(condition, s, result.predicted));
    if (!result.network_predicted.empty())
      row.network_correct.push_back(correct_verdicts(condition, s, result.network_predicted));
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
  row.extra[io::extra_name::accuracy_inner_folds] = io::Figure::of(inner);
  for (auto& [name, values] : figures) row.extra[name] = io::Figure::of(std::move(values));
  if (const auto found = row.extra.find(io::extra_name::network_accuracy); found != row.extra.end())
    found->second = with_uncertainty(std::move(found->second), verdict_scores(row), level);
  constexpr std::array positions = {"early", "middle", "deep"};
  if (!condition.labels.contains(key::position))
    for (std::size_t p = 0; p < positions.size(); ++p)
      row.extra[io::extra_name::accuracy_at_position[p]] =
          accuracy_at(positions[p], condition, test, cells, *row.tested);
  return row;
}

}  // namespace lrid::identify
