#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/core/random.hpp>
#include <lrid/identify/metadata.hpp>

namespace lrid::identify {

/// The unit that never sits on both sides of a split: a sample (as in Nayebi et al., where layers of one
/// network are on both sides), or a network with all its layers.
enum class SplitKind { sample, network };
/// Its io::split_name.
std::string name_of(SplitKind kind);
/// Throws InputError for an unknown name.
SplitKind split_kind(const std::string& name);

/// One outer split with the inner folds of its training part.
struct Split {
  Rows train, test;
  std::vector<int> inner;  ///< [train] inner fold that holds the sample out
};

struct SplitRequest {
  SplitKind kind = SplitKind::sample;
  int splits = 10;
  int inner_folds = 5;
  Filter train, test;  ///< samples each side may draw from
};

/// The splits of a condition: balanced, disjoint, no group on both sides; determined by the key.
///
/// Splits by sample draw n_test = ⌊¼ · the smallest class of the test pool⌋ test samples of each class (the
/// whole smallest class if the pools are disjoint), then n_train samples of each class from the rest of the
/// training pool: the size of the smallest class there, at most 3·n_test if the pools overlap.
///
/// Splits by network draw a quarter of the networks for testing (all of the test pool's if the pools share
/// none), stratified by architecture × task × class, train on the others, and drop random samples until the
/// classes are equally large on each side.
///
/// Inner folds are stratified by class, and grouped by network if the split is.
struct SplitPlan {
  SplitKind kind = SplitKind::sample;
  int inner_folds = 0;
  std::vector<Split> splits;
  std::string train_pool, test_pool;  ///< descriptions: number of samples and filter
  std::int64_t networks = 0;          ///< distinct networks in both pools
  /// Share of the test pool's networks that a split tests, and so that two splits have in common. 1 for
  /// splits by sample and disjoint pools: there all splits test the same networks.
  double overlap = 1;

  /// Throws InputError naming the filter if a pool is empty, or a class missing or too small for the folds.
  static SplitPlan make(const SplitRequest& request, const Metadata& metadata, const Target& target, Key key);

  /// The same test parts, with a share of each class's training networks (at least one). Smaller shares are
  /// subsets of larger ones. Throws InputError if too few are left for the inner folds.
  [[nodiscard]] SplitPlan with_fewer_networks(double share, const Metadata& metadata, const Target& target,
                                              Key key) const;

  /// Throws std::logic_error if the plan is unbalanced, its sides overlap, or a group is on both.
  void validate(const Metadata& metadata, const Target& target) const;
};

/// Puts the whole pool into training, dropping random samples until the classes are equally large, with inner
/// folds and no test part. Throws InputError if a class is missing or too small for the folds.
Split all_for_training(SplitKind kind, int inner_folds, const Rows& pool, const Metadata& metadata,
                       const Target& target, Key key);

}  // namespace lrid::identify
