#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/core/random.hpp>
#include <lrid/identify/metadata.hpp>

namespace lrid::identify {

/// What may not sit on both sides of a split: a sample (as in the study, where layers of one network are on
/// both sides), or a network with all its layers.
enum class SplitKind { sample, network };
std::string name_of(SplitKind kind);
SplitKind split_kind(const std::string& name);

/// One outer split with the inner folds of its training part.
struct Split {
  Rows train, test;
  std::vector<int> inner;  ///< [train] the inner fold in which the sample validates
};

struct SplitRequest {
  SplitKind kind = SplitKind::sample;
  int splits = 10;
  int inner_folds = 5;
  Filter train, test;  ///< which samples each side may draw from
};

/// The splits of one condition: balanced, disjoint, groups never straddle; the same for the same key.
///
/// Sample splits draw, per class, n_test = ⌊¼ · the smallest class of the test pool⌋ test samples (the whole
/// smallest class where the pools are disjoint), then n_train training samples from what is left of the
/// training pool: the smallest class there, at most 3·n_test where the pools overlap.
///
/// Network splits draw a quarter of the networks for testing (all of the test pool's where the pools share
/// none), stratified by architecture × task × class, leave the others to training, and trim samples at
/// random until the classes are equally large on each side.
///
/// Inner folds are stratified by class; under network splits they are grouped by network too.
struct SplitPlan {
  SplitKind kind = SplitKind::sample;
  int inner_folds = 0;
  std::vector<Split> splits;
  std::string train_pool, test_pool;  ///< what the pools were and how many samples each had
  std::int64_t networks = 0;          ///< distinct networks in the pools

  /// InputError, naming the filter, if a pool is empty, a class is missing or too small for the folds.
  static SplitPlan make(const SplitRequest& request, const Metadata& metadata, const Target& target, Key key);

  /// The same test parts, trained on a share of the networks of each class only (at least one each). Smaller
  /// shares are subsets of larger ones. InputError if what is left is too small for the inner folds.
  [[nodiscard]] SplitPlan with_fewer_networks(double share, const Metadata& metadata, const Target& target,
                                              Key key) const;

  /// Throws std::logic_error if the plan is unbalanced, its sides overlap, or a group straddles.
  void validate(const Metadata& metadata, const Target& target) const;
};

/// All of the pool for training, trimmed at random until the classes are equally large, with its inner folds;
/// nothing to test on. InputError if a class is missing or too small for the folds.
Split all_for_training(SplitKind kind, int inner_folds, const Rows& pool, const Metadata& metadata,
                       const Target& target, Key key);

}  // namespace lrid::identify
