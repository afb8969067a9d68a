#include "split_plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

namespace {

/// [classes] of the rows of each, in their order.
std::vector<Rows> by_class(const Rows& rows, const Target& target) {
  std::vector<Rows> result(target.classes.size());
  for (const std::int64_t row : rows) result[to_size(target.labels[to_size(row)])].push_back(row);
  return result;
}

/// Size of the smallest class. Throws InputError naming the pool if a class is missing.
std::int64_t smallest_class(const std::vector<Rows>& classes, const Target& target, const std::string& pool) {
  std::size_t smallest = classes.front().size();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].empty())
      bad_input("{}: no samples of {} {}: expected some of each of {}", pool, target.column,
                target.classes[c], join(target.classes, ", "));
    smallest = std::min(smallest, classes[c].size());
  }
  return to_index(smallest);
}

/// `count` random rows of each class, ascending.
Rows draw(std::vector<Rows> classes, std::int64_t count, Key key) {
  Rows result;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    shuffle(classes[c], key.with(c));
    result.insert(result.end(), classes[c].begin(), classes[c].begin() + count);
  }
  std::ranges::sort(result);
  return result;
}

Rows difference(const Rows& rows, const Rows& removed) {
  Rows result;
  std::ranges::set_difference(rows, removed, std::back_inserter(result));
  return result;
}

/// Networks of the rows, in strata of architecture × task × class. Networks whose layers differ in class, as
/// when the target is the layer position, count as having none.
std::map<std::string, std::vector<std::string>> strata(const Rows& rows, const Metadata& metadata,
                                                       const Target& target) {
  std::map<std::string, std::pair<std::string, int>> networks;  // name → architecture × task, class
  for (const std::int64_t row : rows) {
    const std::size_t r = to_size(row);
    const auto [entry, is_new] = networks.try_emplace(
        metadata.column("network")[r],
        metadata.column("architecture")[r] + "|" + metadata.column("task")[r] + "|", target.labels[r]);
    if (!is_new && entry->second.second != target.labels[r]) entry->second.second = -1;
  }
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& [name, where] : networks)
    result[std::to_string(where.second) + "|" + where.first].push_back(name);
  return result;
}

/// Deals shuffled items to inner folds, group after group without restarting at fold 0, so that sizes differ
/// by one at most.
template <class T>
std::map<T, int> deal(std::vector<std::vector<T>> groups, int folds, Key key) {
  std::map<T, int> fold_of;
  int next = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    shuffle(groups[g], key.with(g));
    for (const T& item : groups[g]) fold_of[item] = next++ % folds;
  }
  return fold_of;
}

std::vector<int> inner_folds_of(const Rows& train, SplitKind kind, int count, const Metadata& metadata,
                                const Target& target, Key key) {
  std::vector<int> folds;
  if (kind == SplitKind::sample) {
    const auto fold_of = deal<std::int64_t>(by_class(train, target), count, key);
    for (const std::int64_t row : train) folds.push_back(fold_of.at(row));
  } else {
    std::vector<std::vector<std::string>> groups;
    for (auto& [stratum, names] : strata(train, metadata, target)) groups.push_back(std::move(names));
    const auto fold_of = deal<std::string>(std::move(groups), count, key);
    for (const std::int64_t row : train)
      folds.push_back(fold_of.at(metadata.column("network")[to_size(row)]));
  }
  return folds;
}

/// A quarter of the networks of each class, spread over its strata by largest remainder.
std::set<std::string> draw_test_networks(const std::map<std::string, std::vector<std::string>>& all,
                                         Key key) {
  std::map<std::string, std::vector<std::vector<std::string>>> of_class;
  for (const auto& [stratum, names] : all) of_class[stratum.substr(0, stratum.find('|'))].push_back(names);
  std::set<std::string> chosen;
  std::uint64_t counter = 0;
  for (auto& [label, groups] : of_class) {
    std::size_t networks = 0, taken = 0;
    for (auto& names : groups) {
      shuffle(names, key.with(counter++));
      networks += names.size();
      taken += names.size() / 4;
      chosen.insert(names.begin(), names.begin() + to_index(names.size() / 4));
    }
    std::vector<std::size_t> order(groups.size());
    for (std::size_t g = 0; g < order.size(); ++g) order[g] = g;
    shuffle(order, key.with(counter++));
    std::ranges::stable_sort(order, std::greater<>(),
                             [&group = groups](std::size_t g) { return group[g].size() % 4; });
    for (std::size_t i = 0; i < order.size() && taken < std::max<std::size_t>(networks / 4, 1); ++i, ++taken)
      chosen.insert(groups[order[i]][groups[order[i]].size() / 4]);
  }
  return chosen;
}

Split sample_split(const SplitRequest& request, const Rows& train_pool, const Rows& test_pool, bool overlap,
                   const Metadata& metadata, const Target& target, Key key) {
  const std::vector<Rows> test_classes = by_class(test_pool, target);
  const std::int64_t smallest = smallest_class(test_classes, target, "test samples");
  const std::int64_t n_test = overlap ? smallest / 4 : smallest;
  if (n_test == 0) {
    const auto of_class = std::ranges::min_element(test_classes, {}, &Rows::size) - test_classes.begin();
    bad_input("{} {} has {}: expected at least 4, a quarter of which are for testing", target.column,
              target.classes[to_size(of_class)], counted(smallest, "sample"));
  }
  Split split;
  split.test = draw(test_classes, n_test, key.with("test"));
  const std::vector<Rows> train_classes = by_class(difference(train_pool, split.test), target);
  std::int64_t n_train = smallest_class(train_classes, target, "training samples");
  if (overlap) n_train = std::min(n_train, 3 * n_test);
  split.train = draw(train_classes, n_train, key.with("train"));
  split.inner =
      inner_folds_of(split.train, request.kind, request.inner_folds, metadata, target, key.with("inner"));
  return split;
}

Split network_split(const SplitRequest& request, const Rows& train_pool, const Rows& test_pool, bool overlap,
                    const Metadata& metadata, const Target& target, Key key) {
  const std::vector<std::string>& network = metadata.column("network");
  std::set<std::string> test_networks;
  if (overlap) {
    test_networks = draw_test_networks(strata(test_pool, metadata, target), key.with("networks"));
  } else {
    for (const std::int64_t row : test_pool) test_networks.insert(network[to_size(row)]);
  }
  Rows train, test;
  for (const std::int64_t row : test_pool)
    if (test_networks.contains(network[to_size(row)])) test.push_back(row);
  for (const std::int64_t row : train_pool)
    if (!test_networks.contains(network[to_size(row)])) train.push_back(row);
  const std::vector<Rows> test_classes = by_class(test, target), train_classes = by_class(train, target);
  Split split;
  split.test =
      draw(test_classes, smallest_class(test_classes, target, "networks for testing"), key.with("test"));
  split.train =
      draw(train_classes, smallest_class(train_classes, target, "networks for training"), key.with("train"));
  split.inner =
      inner_folds_of(split.train, request.kind, request.inner_folds, metadata, target, key.with("inner"));
  return split;
}

/// Throws InputError unless every inner fold has samples and leaves all classes to train on.
void require_usable_folds(const Split& split, SplitKind kind, int inner_folds, const Target& target) {
  for (int fold = 0; fold < inner_folds; ++fold) {
    std::set<int> classes;
    std::size_t held_out = 0;
    for (std::size_t i = 0; i < split.train.size(); ++i) {
      if (split.inner[i] == fold)
        ++held_out;
      else
        classes.insert(target.labels[to_size(split.train[i])]);
    }
    if (held_out == 0 || classes.size() < target.classes.size())
      bad_input(
          "a training part of {} ({}) cannot be divided into {} by {}: expected more "
          "samples of each class, or fewer inner_folds",
          counted(split.train.size(), "sample"), counted(target.classes.size(), "class", "classes"),
          counted(inner_folds, "inner fold"), name_of(kind));
  }
}

}  // namespace

std::string name_of(SplitKind kind) {
  return kind == SplitKind::sample ? io::split_name::sample : io::split_name::network;
}

SplitKind split_kind(const std::string& name) {
  if (name == io::split_name::sample) return SplitKind::sample;
  if (name == io::split_name::network) return SplitKind::network;
  bad_input("unknown split \"{}\": expected one of sample, network", name);
}

SplitPlan SplitPlan::make(const SplitRequest& request, const Metadata& metadata, const Target& target,
                          Key key) {
  const Rows train_pool = request.train.rows(metadata), test_pool = request.test.rows(metadata);
  if (train_pool.empty()) bad_input("no samples to train on: none has {}", request.train.describe());
  if (test_pool.empty()) bad_input("no samples to test on: none has {}", request.test.describe());

  const std::vector<std::string>& network = metadata.column("network");
  std::set<std::string> train_networks, test_networks, networks;
  for (const std::int64_t row : train_pool) train_networks.insert(network[to_size(row)]);
  networks = train_networks;
  bool share_networks = false;
  for (const std::int64_t row : test_pool) {
    share_networks |= train_networks.contains(network[to_size(row)]);
    test_networks.insert(network[to_size(row)]);
    networks.insert(network[to_size(row)]);
  }
  Rows shared;
  std::ranges::set_intersection(train_pool, test_pool, std::back_inserter(shared));

  SplitPlan plan{
      .kind = request.kind,
      .inner_folds = request.inner_folds,
      .splits = {},
      .train_pool = fmt::format("{}: {}", counted(train_pool.size(), "sample"), request.train.describe()),
      .test_pool = fmt::format("{}: {}", counted(test_pool.size(), "sample"), request.test.describe()),
      .networks = std::ssize(networks)};
  for (int i = 0; i < request.splits; ++i) {
    const Key split_key = key.with(static_cast<std::uint64_t>(i));
    plan.splits.push_back(
        request.kind == SplitKind::sample
            ? sample_split(request, train_pool, test_pool, !shared.empty(), metadata, target, split_key)
            : network_split(request, train_pool, test_pool, share_networks, metadata, target, split_key));
    require_usable_folds(plan.splits.back(), request.kind, request.inner_folds, target);
  }
  if (request.kind == SplitKind::network && share_networks) {
    double tested = 0;
    for (const Split& split : plan.splits) {
      std::set<std::string> names;
      for (const std::int64_t row : split.test) names.insert(network[to_size(row)]);
      tested += static_cast<double>(names.size());
    }
    plan.overlap =
        tested / static_cast<double>(plan.splits.size()) / static_cast<double>(test_networks.size());
  }
  plan.validate(metadata, target);
  return plan;
}

SplitPlan SplitPlan::with_fewer_networks(double share, const Metadata& metadata, const Target& target,
                                         Key key) const {
  SplitPlan plan = *this;
  const std::vector<std::string>& network = metadata.column("network");
  for (std::size_t s = 0; s < splits.size(); ++s) {
    const Key split_key = key.with(s);
    std::set<std::string> kept;
    for (const Rows& rows : by_class(splits[s].train, target)) {
      std::set<std::string> names;
      for (const std::int64_t row : rows) names.insert(network[to_size(row)]);
      std::vector<std::string> order(names.begin(), names.end());
      shuffle(order, split_key.with("networks"));
      const double count = std::max(1.0, std::round(share * static_cast<double>(order.size())));
      kept.insert(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    }
    Rows train;
    for (const std::int64_t row : splits[s].train)
      if (kept.contains(network[to_size(row)])) train.push_back(row);
    const std::vector<Rows> classes = by_class(train, target);
    Split& split = plan.splits[s];
    split.train =
        draw(classes, smallest_class(classes, target, "training networks"), split_key.with("train"));
    split.inner = inner_folds_of(split.train, kind, inner_folds, metadata, target, split_key.with("inner"));
    require_usable_folds(split, kind, inner_folds, target);
  }
  plan.validate(metadata, target);
  return plan;
}

void SplitPlan::validate(const Metadata& metadata, const Target& target) const {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("split plan: ") + what);
  };
  const std::vector<std::string>& network = metadata.column("network");
  for (const Split& split : splits) {
    for (const Rows* side : {&split.train, &split.test}) {
      require(std::ranges::is_sorted(*side), "rows out of order");
      require(std::ranges::adjacent_find(*side) == side->end(), "a sample occurs twice");
      const std::vector<Rows> classes = by_class(*side, target);
      for (const Rows& rows : classes)
        require(!rows.empty() && rows.size() == classes.front().size(), "classes differ in size");
    }
    Rows both;
    std::ranges::set_intersection(split.train, split.test, std::back_inserter(both));
    require(both.empty(), "a sample is on both sides");
    require(split.inner.size() == split.train.size(), "an inner fold is missing");
    if (kind != SplitKind::network) continue;
    std::map<std::string, int> fold_of;
    for (std::size_t i = 0; i < split.train.size(); ++i)
      require(fold_of.try_emplace(network[to_size(split.train[i])], split.inner[i]).first->second ==
                  split.inner[i],
              "a network is in two inner folds");
    for (const std::int64_t row : split.test)
      require(!fold_of.contains(network[to_size(row)]), "a network is on both sides");
  }
}

Split all_for_training(SplitKind kind, int inner_folds, const Rows& pool, const Metadata& metadata,
                       const Target& target, Key key) {
  const std::vector<Rows> classes = by_class(pool, target);
  Split split;
  split.train = draw(classes, smallest_class(classes, target, "samples"), key.with("train"));
  split.inner = inner_folds_of(split.train, kind, inner_folds, metadata, target, key.with("inner"));
  require_usable_folds(split, kind, inner_folds, target);
  return split;
}

}  // namespace lrid::identify
