#include "forest.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>

#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/parallel.hpp>

#include "classifiers.hpp"
#include "grid.hpp"
#include "kernels/split.hpp"

namespace lrid::learn {

namespace {

/// The training samples as ranks: the k-th smallest value of a column has rank k, and equal values share one.
/// Splits are searched among ranks; values are needed for thresholds only. Made once for all trees and grid
/// points. `Rank` has 16 bits where these suffice. Columns with the ranks of another are stored once.
template <class Rank>
struct RankedColumns {
  static constexpr std::size_t bins = split_bins, lanes = split_lanes;

  explicit RankedColumns(const Samples& samples) : n(to_size(samples.size())), d(to_size(samples.x.cols())) {
    std::vector<std::vector<Rank>> ranks(d);
    std::vector<std::vector<double>> sorted_values(d);
    parallel_each(d, [&](std::size_t c) {
      const auto column = samples.x.col(to_index(c));
      std::vector<std::pair<double, std::uint32_t>> order(n);
      for (std::size_t i = 0; i < n; ++i) order[i] = {column[to_index(i)], static_cast<std::uint32_t>(i)};
      std::ranges::sort(order);
      ranks[c].resize(n);
      for (std::size_t i = 0; i < n; ++i) {
        if (i == 0 || order[i].first != order[i - 1].first) sorted_values[c].push_back(order[i].first);
        ranks[c][order[i].second] = static_cast<Rank>(sorted_values[c].size() - 1);
      }
    });
    std::map<std::vector<Rank>, std::size_t> known;  // values may differ where ranks do not
    unique_of.resize(d);
    for (std::size_t c = 0; c < d; ++c) {
      const auto [entry, is_new] = known.try_emplace(std::move(ranks[c]), known.size());
      unique_of[c] = entry->second;
      if (is_new) copies.emplace_back();
      copies[entry->second].push_back(c);
    }
    values = std::move(sorted_values);
    unique = copies.size();
    stride = (unique + lanes - 1) / lanes * lanes;
    rows.assign(n * stride, 0);
    bin.resize(unique * n);
    bin_end.assign(unique * bins, 0);
    std::vector<const std::vector<Rank>*> columns(unique);
    for (const auto& [column, u] : known) columns[u] = &column;
    parallel_each(unique, [&](std::size_t u) {
      const std::vector<Rank>& column = *columns[u];
      // Bins of about equal numbers of samples.
      std::vector<std::size_t> below(values[copies[u].front()].size() + 1, 0);
      for (std::size_t i = 0; i < n; ++i) ++below[column[i] + std::size_t{1}];
      std::partial_sum(below.begin(), below.end(), below.begin());
      for (std::size_t i = 0; i < n; ++i) {
        rows[i * stride + u] = column[i];
        bin[u * n + i] = static_cast<std::uint8_t>(below[column[i]] * bins / n);
      }
      for (std::size_t r = 0; r + 1 < below.size(); ++r)
        bin_end[u * bins + below[r] * bins / n] = static_cast<Rank>(r);
    });
  }

  [[nodiscard]] Rank rank(std::size_t sample, std::size_t u) const { return rows[sample * stride + u]; }

  std::size_t n, d;                              // samples, columns
  std::size_t unique, stride;                    // distinct columns; elements from row to row
  std::vector<std::size_t> unique_of;            // [d]
  std::vector<std::vector<std::size_t>> copies;  // [unique] columns of the same ranks
  std::vector<std::vector<double>> values;       // [d][rank]
  std::vector<Rank> rows;                        // [n, stride]
  std::vector<std::uint8_t> bin;                 // [unique, n]
  std::vector<Rank> bin_end;                     // [unique, bins] last rank in the bin
};

/// A split; samples of ranks up to `rank` are on its left.
struct BestSplit {
  std::int64_t feature = -1;  // index of a distinct column
  std::uint32_t rank = 0;
  double score = -1;  // see kernels/split.hpp
};

/// Weights of the classes on both sides of a boundary that moves to the right.
class Sides {
 public:
  void start(const std::vector<std::int64_t>& counts) {
    left_.assign(counts.size(), 0);
    right_ = counts;
  }
  void move(std::size_t label, std::int64_t weight) {
    left_[label] += weight;
    right_[label] -= weight;
  }
  [[nodiscard]] double score() const { return share(left_) + share(right_); }

 private:
  static double share(const std::vector<std::int64_t>& side) {
    std::int64_t total = 0, squares = 0;
    for (const std::int64_t count : side) {
      total += count;
      squares += count * count;
    }
    return static_cast<double>(squares) / static_cast<double>(std::max<std::int64_t>(total, 1));
  }
  std::vector<std::int64_t> left_, right_;
};

/// A sample at a feature: rank (from bit 32), weight (16 bits), class (16 bits).
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

/// Grows trees. The search for a node's split depends on its size:
/// - up to `small` samples: sorts eight features side by side in vector registers;
/// - above: makes histograms of the features' bins, and searches only bins in which a split could be better
/// than the
///   best between bins, so that the result is the best of all splits. If all features are considered, only
///   the smaller child's histograms are counted: the larger child's are the difference to the parent's;
/// - with more than four classes or more than 65,535 samples: sorts one feature at a time.
template <class Rank>
class TreeGrower {
 public:
  TreeGrower(const RankedColumns<Rank>& columns, const std::vector<int>& labels, int classes,
             std::size_t max_features)
      : columns_(columns),
        labels_(labels),
        classes_(to_size(classes)),
        max_features_(max_features),
        packs_(sizeof(Rank) == 2 && classes <= split_classes && columns.n <= 0xFFFF) {}

  Tree grow(Key key) {
    Stream stream(key);
    tree_ = {};
    tree_.importances.assign(columns_.d, 0.0);
    draw_bootstrap(stream);
    features_.resize(columns_.d);
    std::iota(features_.begin(), features_.end(), 0U);

    tree_.nodes.emplace_back();
    std::vector<Task> tasks;
    tasks.push_back({0, samples_.size(), 0, {}});
    while (!tasks.empty()) {
      Task task = std::move(tasks.back());
      tasks.pop_back();
      const std::span<std::uint32_t> members(samples_.data() + task.begin, task.end - task.begin);
      const std::vector<std::int64_t> counts = class_counts(members);
      const BestSplit split =
          is_pure(counts) ? BestSplit{} : best_split(members, counts, task.histograms, stream);
      if (split.feature < 0) {
        make_leaf(task.node, counts);
        recycle(std::move(task.histograms));
        continue;
      }
      const auto feature = to_size(split.feature);
      const std::size_t column = note_importance(split, counts, stream);
      const double threshold = threshold_of(members, split, column);
      const auto middle = std::partition(members.begin(), members.end(), [&](std::uint32_t sample) {
        return columns_.rank(sample, feature) <= split.rank;
      });
      const std::size_t cut = task.begin + to_size(middle - members.begin());
      const auto child = static_cast<std::int32_t>(tree_.nodes.size());
      tree_.nodes.resize(tree_.nodes.size() + 2);
      tree_.nodes[task.node] = {static_cast<std::int32_t>(column), child, child + 1, threshold};
      Task left = {task.begin, cut, to_size(child), {}}, right = {cut, task.end, to_size(child) + 1, {}};
      Task &larger = left.size() > right.size() ? left : right,
           &smaller = left.size() > right.size() ? right : left;
      if (!task.histograms.empty() && larger.size() > small) {
        std::vector<std::uint64_t> counted = count_all({samples_.data() + smaller.begin, smaller.size()});
        for (std::size_t i = 0; i < counted.size(); ++i) task.histograms[i] -= counted[i];
        larger.histograms = std::move(task.histograms);
        if (smaller.size() > small)
          smaller.histograms = std::move(counted);
        else
          recycle(std::move(counted));
      } else {
        recycle(std::move(task.histograms));
      }
      // Continue with the smaller child, so that few histograms are alive.
      tasks.push_back(std::move(larger));
      tasks.push_back(std::move(smaller));
    }
    const double sum = std::accumulate(tree_.importances.begin(), tree_.importances.end(), 0.0);
    if (sum > 0)
      for (double& value : tree_.importances) value /= sum;
    return std::move(tree_);
  }

 private:
  static constexpr std::size_t small = 128, bins = split_bins, lanes = split_lanes;
  struct Task {
    std::size_t begin, end, node;
    std::vector<std::uint64_t> histograms;  // [unique, bins], or none
    [[nodiscard]] std::size_t size() const { return end - begin; }
  };
  using Members = std::span<const std::uint32_t>;
  using Counts = std::vector<std::int64_t>;

  void draw_bootstrap(Stream& stream) {
    std::vector<std::uint32_t> weight(columns_.n, 0);
    for (std::size_t i = 0; i < columns_.n; ++i) ++weight[stream.below(columns_.n)];
    samples_.clear();
    payload_.assign(columns_.n, 0);
    for (std::size_t i = 0; i < columns_.n; ++i) {
      if (weight[i] == 0) continue;
      samples_.push_back(static_cast<std::uint32_t>(i));
      // Packed samples are few enough that none is drawn more than 4095 times.
      const std::uint32_t most = packs_ ? 0xFFFU : 0xFFFFU;
      payload_[i] = std::min(weight[i], most) << 16 | static_cast<std::uint32_t>(labels_[i]);
    }
  }

  Counts class_counts(Members members) const {
    Counts counts(classes_, 0);
    for (const std::uint32_t sample : members)
      counts[class_of(payload_[sample])] += weight_of(payload_[sample]);
    return counts;
  }

  static bool is_pure(const Counts& counts) {
    return std::ranges::count_if(counts, [](std::int64_t count) { return count > 0; }) <= 1;
  }

  // Credits a random one of the equal columns.
  std::size_t note_importance(const BestSplit& split, const Counts& counts, Stream& stream) {
    double total = 0, squares = 0;
    for (const std::int64_t count : counts) {
      total += static_cast<double>(count);
      squares += static_cast<double>(count) * static_cast<double>(count);
    }
    const std::vector<std::size_t>& copies = columns_.copies[to_size(split.feature)];
    const std::size_t column = copies[copies.size() == 1 ? 0 : stream.below(copies.size())];
    tree_.importances[column] += split.score - squares / total;
    return column;
  }

  // The middle between the node's values next to the split.
  double threshold_of(Members members, const BestSplit& split, std::size_t column) const {
    std::uint32_t here = 0, next = ~0U;
    for (const std::uint32_t sample : members) {
      const std::uint32_t rank = columns_.rank(sample, to_size(split.feature));
      if (rank <= split.rank)
        here = std::max(here, rank);
      else
        next = std::min(next, rank);
    }
    const double below = columns_.values[column][here], above = columns_.values[column][next];
    const double middle = below + (above - below) / 2;
    return middle < above ? middle : below;
  }

  BestSplit best_split(Members members, const Counts& counts, std::vector<std::uint64_t>& histograms,
                       Stream& stream) {
    if (packs_)
      for (std::size_t c = 0; c < split_classes; ++c)
        totals_[c] = c < classes_ ? static_cast<std::uint32_t>(counts[c]) : 0;
    if (max_features_ < columns_.d) return best_of_some(members, counts, stream);
    BestSplit best;
    if (!packs_) {
      for (std::size_t u = 0; u < columns_.unique; ++u) try_sorted(u, members, counts, best);
    } else if (members.size() <= small) {
      gather(members);
      // Start anywhere, so that equally good features are equally likely to win.
      const std::size_t groups = columns_.stride / lanes, start = stream.below(groups);
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t first = (start + g) % groups * lanes;
        for (std::size_t i = 0; i < members.size(); ++i)
          for (std::size_t l = 0; l < lanes; ++l)
            keys_[i * lanes + l] = static_cast<std::uint32_t>(rows_[i][first + l]) << 16 | packed_[i];
        const LaneSplits splits = lane_splits(members.size());
        for (std::size_t l = 0; l < lanes; ++l) take(splits, l, first + l, best);
      }
    } else {
      if (histograms.empty()) histograms = count_all(members);
      best = best_of_histograms(members, counts, histograms);
    }
    return best;
  }

  // Considers random features until max_features of them are not constant over the node.
  BestSplit best_of_some(Members members, const Counts& counts, Stream& stream) {
    BestSplit best;
    if (packs_ && members.size() <= small)
      gather(members);
    else if (packs_)
      gather_weights(members);
    std::size_t useful = 0;
    for (std::size_t drawn = 0; drawn < columns_.d && useful < max_features_;) {
      std::size_t group[lanes];
      std::size_t size = 0;
      for (; size < lanes && size < max_features_ - useful && drawn < columns_.d; ++size, ++drawn) {
        std::swap(features_[drawn], features_[drawn + stream.below(columns_.d - drawn)]);
        group[size] = columns_.unique_of[features_[drawn]];
      }
      if (packs_ && members.size() <= small) {
        std::fill(group + size, group + lanes, group[0]);
        for (std::size_t i = 0; i < members.size(); ++i)
          for (std::size_t l = 0; l < lanes; ++l)
            keys_[i * lanes + l] = static_cast<std::uint32_t>(rows_[i][group[l]]) << 16 | packed_[i];
        const LaneSplits splits = lane_splits(members.size());
        for (std::size_t l = 0; l < size; ++l) useful += take(splits, l, group[l], best) ? 1U : 0U;
      } else {
        for (std::size_t l = 0; l < size; ++l)
          useful += (packs_ ? try_binned(group[l], members, counts, best)
                            : try_sorted(group[l], members, counts, best))
                        ? 1U
                        : 0U;
      }
    }
    return best;
  }

  // --- Small nodes ---

  void gather(Members members) {
    rows_.resize(members.size());
    packed_.resize(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      rows_[i] = columns_.rows.data() + members[i] * columns_.stride;
      packed_[i] = static_cast<std::uint32_t>(to_size(weight_of(payload_[members[i]])) << 4 |
                                              class_of(payload_[members[i]]));
    }
  }

  LaneSplits lane_splits(std::size_t count) {
    LaneSplits splits;
    find_lane_splits(keys_, static_cast<int>(count), totals_, &splits);
    return splits;
  }

  // Returns false if the feature is constant over the node.
  bool take(const LaneSplits& splits, std::size_t lane, std::size_t feature, BestSplit& best) const {
    if (splits.position[lane] < 0) return false;
    const std::size_t last = to_size(splits.position[lane]) * lanes + lane;
    if (splits.score[lane] > best.score)
      best = {static_cast<std::int64_t>(feature), keys_[last] >> 16, splits.score[lane]};
    return true;
  }

  // --- Histograms ---

  // Weights of the classes packed into one number, 16 bits each.
  void gather_weights(Members members) {
    weights_.resize(members.size());
    for (std::size_t i = 0; i < members.size(); ++i)
      weights_[i] = static_cast<std::uint64_t>(weight_of(payload_[members[i]]))
                    << (16 * class_of(payload_[members[i]]));
  }

  void count(std::size_t u, Members members, std::uint64_t* histogram) const {
    const std::uint8_t* bin = columns_.bin.data() + u * columns_.n;
    for (std::size_t i = 0; i < members.size(); ++i) histogram[bin[members[i]]] += weights_[i];
  }

  std::vector<std::uint64_t> count_all(Members members) {
    std::vector<std::uint64_t> histograms;
    if (!spare_.empty()) {
      histograms = std::move(spare_.back());
      spare_.pop_back();
    }
    histograms.assign(columns_.unique * bins, 0);
    gather_weights(members);
    for (std::size_t u = 0; u < columns_.unique; ++u) count(u, members, histograms.data() + u * bins);
    return histograms;
  }

  void recycle(std::vector<std::uint64_t> histograms) {
    if (!histograms.empty()) spare_.push_back(std::move(histograms));
  }

  // Relative error of scores in single precision.
  static constexpr double rounding = 1e-6;

  BestSplit best_of_histograms(Members members, const Counts& counts,
                               const std::vector<std::uint64_t>& histograms) {
    std::vector<std::pair<float, std::size_t>> promising(columns_.unique);
    double attained = 0;  // by the best boundary of a bin
    for (std::size_t u = 0; u < columns_.unique; ++u) {
      const BinScores scores = scan_bins(histograms.data() + u * bins, totals_);
      promising[u] = {std::max(scores.top, scores.potential), u};
      attained = std::max(attained, scores.top * (1 - rounding));
    }
    std::erase_if(promising, [&](const auto& p) { return p.first * (1 + rounding) < attained; });
    std::ranges::sort(promising, std::greater<>());
    BestSplit best;
    for (const auto& [potential, u] : promising) {
      if (potential * (1 + rounding) < best.score) break;
      refine(u, members, counts, histograms.data() + u * bins, attained, best);
    }
    return best;
  }

  // Needs gather_weights().
  bool try_binned(std::size_t u, Members members, const Counts& counts, BestSplit& best) {
    if (constant(u, members)) return false;
    std::array<std::uint64_t, bins> histogram{};
    count(u, members, histogram.data());
    refine(u, members, counts, histogram.data(), 0, best);
    return true;
  }

  bool constant(std::size_t u, Members members) const {
    return std::ranges::all_of(members, [&](std::uint32_t sample) {
      return columns_.rank(sample, u) == columns_.rank(members[0], u);
    });
  }

  // Updates `best` with the best split of a feature, unless that is below `attained`, the score of a known
  // split.
  void refine(std::size_t u, Members members, const Counts& counts, const std::uint64_t* histogram,
              double attained, BestSplit& best) {
    std::array<bool, bins> boundary, inside;
    const double least = std::max(attained, best.score) * (1 - rounding);
    const int found =
        find_bins(histogram, totals_, static_cast<float>(least), boundary.data(), inside.data());
    if (found == 0) return;
    entries_.clear();
    if ((found & 2) != 0) {
      const std::uint8_t* bin = columns_.bin.data() + u * columns_.n;
      for (const std::uint32_t sample : members)
        if (inside[bin[sample]])
          entries_.push_back(static_cast<Entry>(columns_.rank(sample, u)) << 32 | payload_[sample]);
      std::ranges::sort(entries_);
    }
    sides_.start(counts);
    const std::uint32_t last_of_node = last_bin(histogram);
    const auto offer = [&](std::uint32_t rank) {
      const double score = sides_.score();
      if (score > best.score) best = {static_cast<std::int64_t>(u), rank, score};
    };
    std::size_t next = 0;
    for (std::size_t b = 0; b < last_of_node; ++b) {
      if (histogram[b] == 0) continue;
      walk(u, b, histogram[b], inside[b], next, offer);
      if (boundary[b]) offer(columns_.bin_end[u * bins + b]);
    }
    walk(u, last_of_node, histogram[last_of_node], inside[last_of_node], next, offer);
  }

  // Moves a bin to the left; sample by sample if splits inside it are to be offered.
  template <class Offer>
  void walk(std::size_t u, std::size_t b, std::uint64_t weights, bool inside, std::size_t& next,
            const Offer& offer) {
    if (!inside) {
      for (std::size_t c = 0; c < classes_; ++c)
        sides_.move(c, static_cast<std::int64_t>(weights >> (16 * c) & 0xFFFF));
      return;
    }
    const std::uint32_t end = columns_.bin_end[u * bins + b];
    for (; next < entries_.size() && rank_of(entries_[next]) <= end; ++next) {
      sides_.move(class_of(entries_[next]), weight_of(entries_[next]));
      const bool last = next + 1 == entries_.size() || rank_of(entries_[next + 1]) > end;
      if (!last && rank_of(entries_[next]) != rank_of(entries_[next + 1])) offer(rank_of(entries_[next]));
    }
  }

  static std::uint32_t last_bin(const std::uint64_t* histogram) {
    std::uint32_t b = bins - 1;
    while (histogram[b] == 0) --b;
    return b;
  }

  // --- Any number of samples and classes ---

  bool try_sorted(std::size_t u, Members members, const Counts& counts, BestSplit& best) {
    entries_.resize(members.size());
    for (std::size_t i = 0; i < members.size(); ++i)
      entries_[i] = static_cast<Entry>(columns_.rank(members[i], u)) << 32 | payload_[members[i]];
    std::ranges::sort(entries_);
    if (rank_of(entries_.front()) == rank_of(entries_.back())) return false;
    sides_.start(counts);
    for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
      sides_.move(class_of(entries_[i]), weight_of(entries_[i]));
      if (rank_of(entries_[i]) == rank_of(entries_[i + 1])) continue;
      const double score = sides_.score();
      if (score > best.score) best = {static_cast<std::int64_t>(u), rank_of(entries_[i]), score};
    }
    return true;
  }

  void make_leaf(std::size_t node, const Counts& counts) {
    tree_.nodes[node].left = static_cast<std::int32_t>(tree_.leaf_shares.size());
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    for (const std::int64_t count : counts) tree_.leaf_shares.push_back(static_cast<double>(count) / total);
  }

  const RankedColumns<Rank>& columns_;
  const std::vector<int>& labels_;
  std::size_t classes_, max_features_;
  bool packs_;  // few enough classes and samples for packed keys and counts
  Tree tree_;
  std::vector<std::uint32_t> samples_;   // those drawn at least once; every node owns a range
  std::vector<std::uint32_t> payload_;   // [n] weight (upper 16 bits) and class
  std::vector<std::uint32_t> features_;  // a permutation, shuffled further at every split
  std::vector<Entry> entries_;
  Sides sides_;
  std::vector<const Rank*> rows_;      // rows of a small node's samples
  std::vector<std::uint32_t> packed_;  // their weights and classes
  std::vector<std::uint64_t> weights_;
  std::vector<std::vector<std::uint64_t>> spare_;  // histograms for reuse
  std::uint32_t totals_[split_classes] = {};
  alignas(32) std::uint32_t keys_[small * lanes];
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

/// Grows trees from training samples, whose ranks it keeps as narrow as possible.
class ForestGrower {
 public:
  explicit ForestGrower(const Samples& train) : train_(train) {
    if (train.size() <= 0x10000)
      narrow_.emplace(train);
    else
      wide_.emplace(train);
  }

  /// Trees first … first+count−1.
  [[nodiscard]] std::vector<Tree> grow(int first, int count, MaxFeatures max_features, Key key) const {
    return narrow_ ? grow(*narrow_, first, count, max_features, key)
                   : grow(*wide_, first, count, max_features, key);
  }

 private:
  template <class Rank>
  std::vector<Tree> grow(const RankedColumns<Rank>& columns, int first, int count, MaxFeatures max_features,
                         Key key) const {
    std::vector<Tree> trees(to_size(count));
    parallel_ranges(trees.size(), [&](std::size_t begin, std::size_t end) {
      TreeGrower<Rank> grower(columns, train_.labels, train_.classes, feature_count(max_features, columns.d));
      for (std::size_t i = begin; i < end; ++i) {
        check_interrupt();
        trees[i] = grower.grow(key.with(static_cast<std::uint64_t>(first) + i));
      }
    });
    return trees;
  }

  const Samples& train_;
  std::optional<RankedColumns<std::uint16_t>> narrow_;
  std::optional<RankedColumns<std::uint32_t>> wide_;
};

void add_votes(const Tree& tree, const Samples& samples, Matrix& votes) {
  for (std::int64_t i = 0; i < samples.size(); ++i)
    votes.row(i) += Eigen::Map<const Eigen::RowVectorXd>(tree.shares(samples.x.row(i).data()), votes.cols());
}

}  // namespace

Forest Forest::grow(const Samples& train, int trees, MaxFeatures max_features, Key key) {
  Forest forest;
  forest.classes_ = train.classes;
  forest.trees_ = ForestGrower(train).grow(0, trees, max_features, key);
  return forest;
}

Matrix Forest::scores(const Samples& samples) const {
  Matrix votes = Matrix::Zero(samples.size(), classes_);
  for (const Tree& tree : trees_) add_votes(tree, samples, votes);
  return votes / static_cast<double>(trees_.size());
}

void Forest::save(io::hdf5::Group& group) const {
  std::vector<std::int64_t> nodes, shares;  // of each tree
  std::vector<std::int32_t> feature, left, right;
  std::vector<double> threshold, leaf_shares;
  for (const Tree& tree : trees_) {
    nodes.push_back(std::ssize(tree.nodes));
    shares.push_back(std::ssize(tree.leaf_shares));
    for (const Tree::Node& node : tree.nodes) {
      feature.push_back(node.feature);
      left.push_back(node.left);
      right.push_back(node.right);
      threshold.push_back(node.threshold);
    }
    leaf_shares.insert(leaf_shares.end(), tree.leaf_shares.begin(), tree.leaf_shares.end());
  }
  group.write("tree_nodes", nodes);
  group.write("tree_shares", shares);
  const auto write = [&](const char* name, const auto& values) {  // mostly small numbers, many of them equal
    group.write(name, values, {std::ssize(values)}, io::hdf5::Storage::compressed);
  };
  write("feature", feature);
  write("left", left);
  write("right", right);
  write("threshold", threshold);
  write("leaf_shares", leaf_shares);
}

Forest Forest::load(const io::hdf5::Group& group, std::int64_t columns, int classes) {
  const auto nodes = group.dataset("tree_nodes").read<std::int64_t>({-1}),
             shares = group.dataset("tree_shares").read<std::int64_t>({std::ssize(nodes)});
  const std::int64_t all_nodes = std::accumulate(nodes.begin(), nodes.end(), std::int64_t{0}),
                     all_shares = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  const auto feature = group.dataset("feature").read<std::int32_t>({all_nodes}),
             left = group.dataset("left").read<std::int32_t>({all_nodes}),
             right = group.dataset("right").read<std::int32_t>({all_nodes});
  const auto threshold = group.dataset("threshold").read<double>({all_nodes}),
             leaf_shares = group.dataset("leaf_shares").read<double>({all_shares});
  Forest forest;
  forest.classes_ = classes;
  std::size_t node = 0, share = 0;
  for (std::size_t t = 0; t < nodes.size(); ++t) {
    Tree tree;
    for (std::int64_t i = 0; i < nodes[t]; ++i, ++node) {
      // Children follow their parents, so that every walk ends, and no index is out of range.
      const bool leaf = feature[node] < 0;
      const bool fits = leaf ? left[node] >= 0 && left[node] + classes <= shares[t]
                             : feature[node] < columns && left[node] > i && right[node] > i &&
                                   std::max(left[node], right[node]) < nodes[t];
      if (!fits) group.fail("a tree's node has no valid children: expected the nodes of a whole forest");
      tree.nodes.push_back({feature[node], left[node], right[node], threshold[node]});
    }
    if (nodes[t] < 1 || shares[t] < 0)
      group.fail("a tree without nodes: expected the nodes of a whole forest");
    tree.leaf_shares.assign(leaf_shares.begin() + to_index(share),
                            leaf_shares.begin() + to_index(share) + shares[t]);
    share += to_size(shares[t]);
    forest.trees_.push_back(std::move(tree));
  }
  if (forest.trees_.empty()) group.fail("no trees: expected the nodes of a whole forest");
  return forest;
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

namespace {

std::vector<Matrix> votes_by_size(const ForestGrower& grower, const Samples& samples, int classes,
                                  const std::vector<int>& sizes, MaxFeatures max_features, Key key) {
  constexpr int block = 64;  // trees in memory at a time
  std::vector<Matrix> result;
  Matrix votes = Matrix::Zero(samples.size(), classes);
  int grown = 0;
  for (const int size : sizes) {
    while (grown < size) {
      const int count = std::min(block, size - grown);
      for (const Tree& tree : grower.grow(grown, count, max_features, key)) add_votes(tree, samples, votes);
      grown += count;
    }
    result.emplace_back(votes / static_cast<double>(grown));
  }
  return result;
}

}  // namespace

std::vector<Matrix> Forest::scores_by_size(const Samples& train, const Samples& samples,
                                           const std::vector<int>& sizes, MaxFeatures max_features, Key key) {
  return votes_by_size(ForestGrower(train), samples, train.classes, sizes, max_features, key);
}

namespace {

/// The classifier "forest". Grid: trees × features considered for a split.
class ForestClassifier : public Classifier {
 public:
  void declare(Options& options) override {
    options.add("forest.trees", trees_, Accepts::at_least(1), "grid: number of trees");
    options.add("forest.max_features", max_features_, Accepts::one_of({"sqrt", "log2", "all"}),
                "grid: number of features considered for a split");
    if (trees_.empty()) options.fail("forest.trees", "is empty: expected at least one value");
    if (max_features_.empty()) options.fail("forest.max_features", "is empty: expected at least one value");
  }

  std::vector<Setting> settings() const override {
    std::vector<Setting> result;
    for (const std::int64_t trees : trees_)
      for (const std::string& features : max_features_)
        result.push_back({{"trees", trees}, {"max_features", features}});
    return result;
  }

  std::vector<std::string> notes() const override {
    const ForestClassifier study;
    return grid_notes("forest", {{"trees", grid_text(trees_), grid_text(study.trees_)},
                                 {"max_features", grid_text(max_features_), grid_text(study.max_features_)}});
  }

  GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override {
    std::vector<int> sizes;
    for (const std::int64_t trees : trees_) sizes.push_back(static_cast<int>(trees));
    std::ranges::sort(sizes);
    GridOutcome outcome;
    outcome.scores.resize(trees_.size() * max_features_.size());
    const ForestGrower grower(train);
    for (std::size_t f = 0; f < max_features_.size(); ++f) {
      const std::vector<Matrix> scores =
          votes_by_size(grower, validation, train.classes, sizes, max_features_of(max_features_[f]), key);
      for (std::size_t t = 0; t < trees_.size(); ++t) {
        const auto size = std::ranges::find(sizes, static_cast<int>(trees_[t])) - sizes.begin();
        outcome.scores[t * max_features_.size() + f] = scores[to_size(size)];
      }
    }
    outcome.computed = std::ssize(outcome.scores);
    return outcome;
  }

  std::unique_ptr<Model> fit(const Samples& train, const Setting& setting, Key key) const override {
    const auto trees = static_cast<int>(std::get<std::int64_t>(setting.at("trees")));
    const MaxFeatures features = max_features_of(std::get<std::string>(setting.at("max_features")));
    return std::make_unique<Forest>(Forest::grow(train, trees, features, key));
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    return std::make_unique<Forest>(Forest::load(group, layout.columns(), classes));
  }

  bool scores_are_probabilities() const override { return true; }

 private:
  std::vector<std::int64_t> trees_ = {20, 50, 100, 500, 1000};
  std::vector<std::string> max_features_ = {"sqrt", "log2", "all"};
};

}  // namespace

std::unique_ptr<Classifier> make_forest() {
  return std::make_unique<ForestClassifier>();
}

}  // namespace lrid::learn
