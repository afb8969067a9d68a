#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>

#include <lrid/classify/forest.hpp>
#include <lrid/core/interrupt.hpp>

#include "grid.hpp"
#include "parallel.hpp"

namespace lrid::classify {

namespace {

// Every column of the training samples as ranks: equal values share one, and the k-th smallest value has rank
// k. Splits are searched among ranks, integers that radix sort likes; values come back for the thresholds.
struct RankedColumns {
  explicit RankedColumns(const Samples& samples)
      : n(static_cast<std::size_t>(samples.size())),
        d(static_cast<std::size_t>(samples.x.cols())),
        ranks(n * d),
        values(d) {
    parallel_each(d, [&](std::size_t c) {
      const auto column = samples.x.col(static_cast<Eigen::Index>(c));
      std::vector<double>& sorted = values[c];
      sorted.assign(column.begin(), column.end());
      std::ranges::sort(sorted);
      sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
      for (std::size_t i = 0; i < n; ++i)
        ranks[c * n + i] = static_cast<std::uint32_t>(
            std::ranges::lower_bound(sorted, column[static_cast<Eigen::Index>(i)]) - sorted.begin());
    });
  }

  std::size_t n, d;
  std::vector<std::uint32_t> ranks;         // [d, n]
  std::vector<std::vector<double>> values;  // [d][rank]
};

// One sample at one feature, in the order of comparison: rank (upper 32 bits), weight (16), class (16).
using Entry = std::uint64_t;
std::uint32_t rank_of(Entry e) {
  return static_cast<std::uint32_t>(e >> 32);
}
std::int64_t weight_of(Entry e) {
  return static_cast<std::int64_t>((e >> 16) & 0xFFFF);
}
std::size_t class_of(Entry e) {
  return e & 0xFFFF;
}

// Sorts by rank. Ranks lie within [low, high].
void sort_entries(std::vector<Entry>& entries, std::vector<Entry>& scratch, std::uint32_t low,
                  std::uint32_t high) {
  constexpr std::size_t small = 96;  // below it comparison sort was the faster one
  if (entries.size() <= small) {
    std::ranges::sort(entries);
    return;
  }
  scratch.resize(entries.size());
  const int bits = std::bit_width(high - low);
  for (int shift = 0; shift < bits; shift += 8) {
    std::array<std::uint32_t, 257> start{};
    for (const Entry e : entries) ++start[((rank_of(e) - low) >> shift & 0xFF) + 1];
    for (std::size_t b = 1; b < start.size(); ++b) start[b] += start[b - 1];
    for (const Entry e : entries) scratch[start[(rank_of(e) - low) >> shift & 0xFF]++] = e;
    entries.swap(scratch);
  }
}

struct BestSplit {
  std::int64_t feature = -1;
  std::uint32_t rank = 0;  // left: rank ≤ this
  double threshold = 0;
  double score = 0;  // Σ_c L_c² / L + Σ_c R_c² / R: what Gini impurity leaves to maximise
};

class TreeGrower {
 public:
  TreeGrower(const RankedColumns& columns, const std::vector<int>& labels, int classes,
             std::size_t max_features)
      : columns_(columns),
        labels_(labels),
        classes_(static_cast<std::size_t>(classes)),
        max_features_(max_features),
        left_(classes_),
        right_(classes_) {}

  Tree grow(Key key) {
    Stream stream(key);
    tree_ = {};
    tree_.importances.assign(columns_.d, 0.0);
    draw_bootstrap(stream);
    features_.resize(columns_.d);
    std::iota(features_.begin(), features_.end(), 0U);

    struct Task {
      std::size_t begin, end, node;
    };
    tree_.nodes.emplace_back();
    std::vector<Task> tasks = {{0, samples_.size(), 0}};
    while (!tasks.empty()) {
      const Task task = tasks.back();
      tasks.pop_back();
      const std::span<std::uint32_t> members(samples_.data() + task.begin, task.end - task.begin);
      const std::vector<std::int64_t> counts = class_counts(members);
      const BestSplit split = is_pure(counts) ? BestSplit{} : best_split(members, counts, stream);
      if (split.feature < 0) {
        make_leaf(task.node, counts);
        continue;
      }
      const std::uint32_t* rank =
          columns_.ranks.data() + static_cast<std::size_t>(split.feature) * columns_.n;
      const auto middle = std::partition(members.begin(), members.end(),
                                         [&](std::uint32_t sample) { return rank[sample] <= split.rank; });
      const std::size_t cut = task.begin + static_cast<std::size_t>(middle - members.begin());
      const auto child = static_cast<std::int32_t>(tree_.nodes.size());
      tree_.nodes.resize(tree_.nodes.size() + 2);
      tree_.nodes[task.node] = {static_cast<std::int32_t>(split.feature), child, child + 1, split.threshold};
      tasks.push_back({cut, task.end, static_cast<std::size_t>(child) + 1});
      tasks.push_back({task.begin, cut, static_cast<std::size_t>(child)});
    }
    const double sum = std::accumulate(tree_.importances.begin(), tree_.importances.end(), 0.0);
    if (sum > 0)
      for (double& value : tree_.importances) value /= sum;
    return std::move(tree_);
  }

 private:
  void draw_bootstrap(Stream& stream) {
    std::vector<std::uint32_t> weight(columns_.n, 0);
    for (std::size_t i = 0; i < columns_.n; ++i) ++weight[stream.below(columns_.n)];
    samples_.clear();
    payload_.assign(columns_.n, 0);
    for (std::size_t i = 0; i < columns_.n; ++i) {
      if (weight[i] == 0) continue;
      samples_.push_back(static_cast<std::uint32_t>(i));
      payload_[i] = (std::min<Entry>(weight[i], 0xFFFF) << 16) | static_cast<Entry>(labels_[i]);
    }
  }

  std::vector<std::int64_t> class_counts(std::span<const std::uint32_t> members) const {
    std::vector<std::int64_t> counts(classes_, 0);
    for (const std::uint32_t sample : members)
      counts[class_of(payload_[sample])] += weight_of(payload_[sample]);
    return counts;
  }

  static bool is_pure(const std::vector<std::int64_t>& counts) {
    return std::ranges::count_if(counts, [](std::int64_t count) { return count > 0; }) <= 1;
  }

  // Looks at random features until max_features of them were not constant over the node.
  BestSplit best_split(std::span<const std::uint32_t> members, const std::vector<std::int64_t>& counts,
                       Stream& stream) {
    BestSplit best;
    std::size_t useful = 0;
    for (std::size_t i = 0; i < columns_.d && useful < max_features_; ++i) {
      std::swap(features_[i], features_[i + stream.below(columns_.d - i)]);
      if (consider(features_[i], members, counts, best)) ++useful;
    }
    if (best.feature >= 0) {
      double total = 0, squares = 0;
      for (const std::int64_t count : counts) {
        total += static_cast<double>(count);
        squares += static_cast<double>(count) * static_cast<double>(count);
      }
      tree_.importances[static_cast<std::size_t>(best.feature)] += best.score - squares / total;
    }
    return best;
  }

  // Tries all thresholds of a feature; false if it is constant over the node.
  bool consider(std::uint32_t feature, std::span<const std::uint32_t> members,
                const std::vector<std::int64_t>& counts, BestSplit& best) {
    const std::uint32_t* rank = columns_.ranks.data() + feature * columns_.n;
    entries_.resize(members.size());
    std::uint32_t low = ~0U, high = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::uint32_t r = rank[members[i]];
      low = std::min(low, r);
      high = std::max(high, r);
      entries_[i] = static_cast<Entry>(r) << 32 | payload_[members[i]];
    }
    if (low == high) return false;
    sort_entries(entries_, scratch_, low, high);

    std::ranges::fill(left_, 0);
    right_ = counts;
    std::int64_t left_total = 0, right_total = 0, left_squares = 0, right_squares = 0;
    for (const std::int64_t count : counts) {
      right_total += count;
      right_squares += count * count;
    }
    for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
      const std::int64_t w = weight_of(entries_[i]);
      const std::size_t c = class_of(entries_[i]);
      left_squares += w * (2 * left_[c] + w);
      right_squares -= w * (2 * right_[c] - w);
      left_[c] += w;
      right_[c] -= w;
      left_total += w;
      right_total -= w;
      const std::uint32_t here = rank_of(entries_[i]), next = rank_of(entries_[i + 1]);
      if (here == next) continue;
      const double score = static_cast<double>(left_squares) / static_cast<double>(left_total) +
                           static_cast<double>(right_squares) / static_cast<double>(right_total);
      if (best.feature >= 0 && score <= best.score) continue;
      const double below = columns_.values[feature][here], above = columns_.values[feature][next];
      const double middle = below + (above - below) / 2;
      best = {static_cast<std::int64_t>(feature), here, middle < above ? middle : below, score};
    }
    return true;
  }

  void make_leaf(std::size_t node, const std::vector<std::int64_t>& counts) {
    tree_.nodes[node].left = static_cast<std::int32_t>(tree_.leaf_shares.size());
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    for (const std::int64_t count : counts) tree_.leaf_shares.push_back(static_cast<double>(count) / total);
  }

  const RankedColumns& columns_;
  const std::vector<int>& labels_;
  std::size_t classes_, max_features_;
  Tree tree_;
  std::vector<std::uint32_t> samples_;   // those drawn at least once; every node owns a stretch of it
  std::vector<Entry> payload_;           // [n] weight and class
  std::vector<std::uint32_t> features_;  // a permutation, shuffled further at every split
  std::vector<Entry> entries_, scratch_;
  std::vector<std::int64_t> left_, right_;
};

std::size_t feature_count(MaxFeatures rule, std::size_t d) {
  switch (rule) {
    case MaxFeatures::sqrt:
      return std::max<std::size_t>(1, static_cast<std::size_t>(std::sqrt(d)));
    case MaxFeatures::log2:
      return std::max<std::size_t>(1, static_cast<std::size_t>(std::log2(d)));
    case MaxFeatures::all:
      break;
  }
  return std::max<std::size_t>(1, d);
}

MaxFeatures max_features_of(const std::string& name) {
  return name == "sqrt" ? MaxFeatures::sqrt : name == "log2" ? MaxFeatures::log2 : MaxFeatures::all;
}

// Grows trees first … first+count−1.
std::vector<Tree> grow_trees(const RankedColumns& columns, const Samples& train, int first, int count,
                             MaxFeatures max_features, Key key) {
  std::vector<Tree> trees(static_cast<std::size_t>(count));
  parallel_ranges(trees.size(), [&](std::size_t begin, std::size_t end) {
    TreeGrower grower(columns, train.labels, train.classes, feature_count(max_features, columns.d));
    for (std::size_t i = begin; i < end; ++i) {
      check_interrupt();
      trees[i] = grower.grow(key.with(static_cast<std::uint64_t>(first) + i));
    }
  });
  return trees;
}

void add_votes(const Tree& tree, const Samples& samples, Matrix& votes) {
  for (std::int64_t i = 0; i < samples.size(); ++i)
    votes.row(i) += Eigen::Map<const Eigen::RowVectorXd>(tree.shares(samples.x.row(i).data()), votes.cols());
}

}  // namespace

Forest Forest::grow(const Samples& train, int trees, MaxFeatures max_features, Key key) {
  Forest forest;
  forest.classes_ = train.classes;
  forest.trees_ = grow_trees(RankedColumns(train), train, 0, trees, max_features, key);
  return forest;
}

Matrix Forest::scores(const Samples& samples) const {
  Matrix votes = Matrix::Zero(samples.size(), classes_);
  for (const Tree& tree : trees_) add_votes(tree, samples, votes);
  return votes / static_cast<double>(trees_.size());
}

std::vector<double> Forest::importances() const {
  std::vector<double> mean(trees_.front().importances.size(), 0.0);
  for (const Tree& tree : trees_)
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += tree.importances[c];
  const double sum = std::accumulate(mean.begin(), mean.end(), 0.0);
  if (sum > 0)
    for (double& value : mean) value /= sum;
  return mean;
}

std::vector<Matrix> Forest::scores_by_size(const Samples& train, const Samples& samples,
                                           const std::vector<int>& sizes, MaxFeatures max_features, Key key) {
  constexpr int block = 64;  // trees in memory at a time
  const RankedColumns columns(train);
  std::vector<Matrix> result;
  Matrix votes = Matrix::Zero(samples.size(), train.classes);
  int grown = 0;
  for (const int size : sizes) {
    while (grown < size) {
      const int count = std::min(block, size - grown);
      for (const Tree& tree : grow_trees(columns, train, grown, count, max_features, key))
        add_votes(tree, samples, votes);
      grown += count;
    }
    result.emplace_back(votes / static_cast<double>(grown));
  }
  return result;
}

void ForestClassifier::declare(Options& options) {
  options.add("forest.trees", trees_, Accepts::at_least(1), "grid: trees");
  options.add("forest.max_features", max_features_, Accepts::one_of({"sqrt", "log2", "all"}),
              "grid: features that a split looks at");
  if (trees_.empty()) options.fail("forest.trees", "is empty: expected at least one value");
  if (max_features_.empty()) options.fail("forest.max_features", "is empty: expected at least one value");
}

std::vector<Setting> ForestClassifier::settings() const {
  std::vector<Setting> result;
  for (const std::int64_t trees : trees_)
    for (const std::string& features : max_features_)
      result.push_back({{"trees", trees}, {"max_features", features}});
  return result;
}

std::vector<std::string> ForestClassifier::notes() const {
  const ForestClassifier study;
  return grid_notes("forest", {{"trees", grid_text(trees_), grid_text(study.trees_)},
                               {"max_features", grid_text(max_features_), grid_text(study.max_features_)}});
}

GridOutcome ForestClassifier::fit_grid(const Samples& train, const Samples& validation, Key key) const {
  std::vector<int> sizes;
  for (const std::int64_t trees : trees_) sizes.push_back(static_cast<int>(trees));
  std::ranges::sort(sizes);
  GridOutcome outcome;
  outcome.predicted.resize(trees_.size() * max_features_.size());
  for (std::size_t f = 0; f < max_features_.size(); ++f) {
    const std::vector<Matrix> scores =
        Forest::scores_by_size(train, validation, sizes, max_features_of(max_features_[f]), key);
    for (std::size_t t = 0; t < trees_.size(); ++t) {
      const auto size = std::ranges::find(sizes, static_cast<int>(trees_[t])) - sizes.begin();
      outcome.predicted[t * max_features_.size() + f] =
          predicted_classes(scores[static_cast<std::size_t>(size)]);
    }
  }
  outcome.computed = static_cast<std::int64_t>(outcome.predicted.size());
  return outcome;
}

std::unique_ptr<Model> ForestClassifier::fit(const Samples& train, const Setting& setting, Key key) const {
  const auto trees = static_cast<int>(std::get<std::int64_t>(setting.at("trees")));
  const MaxFeatures features = max_features_of(std::get<std::string>(setting.at("max_features")));
  return std::make_unique<Forest>(Forest::grow(train, trees, features, key));
}

}  // namespace lrid::classify
