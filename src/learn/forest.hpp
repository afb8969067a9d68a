#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// Number of features considered for a split: ⌊√d⌋, ⌊log₂ d⌋ or all d (at least one).
enum class MaxFeatures { sqrt, log2, all };

/// A classification tree with exact splits that minimise Gini impurity, grown until every leaf is pure or its
/// samples have equal features (Breiman, Friedman, Olshen & Stone 1984).
class Tree {
 public:
  struct Node {
    std::int32_t feature = -1;  ///< −1: a leaf
    std::int32_t left = -1;     ///< child for value ≤ threshold; in a leaf: index of its class shares
    std::int32_t right = -1;
    double threshold = 0;
  };

  /// [classes] shares of the training weight in the leaf that a sample falls into. `row`: [columns].
  [[nodiscard]] const double* shares(const double* row) const {
    const Node* node = nodes.data();
    while (node->feature >= 0)
      node = nodes.data() + (row[node->feature] <= node->threshold ? node->left : node->right);
    return leaf_shares.data() + node->left;
  }

  std::vector<Node> nodes;
  std::vector<double> leaf_shares;  ///< class shares of the leaves, concatenated
  std::vector<double> importances;  ///< [columns] decrease of impurity, summing to 1 (0 for a single leaf)
};

/// A random forest (Breiman 2001, "Random forests"): every tree is grown on a bootstrap sample (as weights)
/// and, at each split, a random subset of the features; votes are the trees' mean class shares. Tree i
/// depends on the key and i only, so a forest contains the smaller ones, and results do not depend on the
/// number of threads. Takes about 40 bytes a node.
class Forest : public Model {
 public:
  static Forest grow(const Samples& train, int trees, MaxFeatures max_features, Key key);

  [[nodiscard]] Matrix scores(const Samples& samples) const override;
  /// [columns] mean over trees of the decrease of Gini impurity; empty for a loaded forest.
  [[nodiscard]] std::vector<double> importances() const override;
  [[nodiscard]] const std::vector<Tree>& trees() const { return trees_; }
  /// Writes the trees without their importances.
  void save(io::hdf5::Group& group) const override;
  /// Throws InputError if the trees are not whole.
  static Forest load(const io::hdf5::Group& group, std::int64_t columns, int classes);

  /// Votes of the first sizes[0], sizes[1], … trees (ascending), [size] of [n, classes]; the trees are not
  /// kept.
  static std::vector<Matrix> scores_by_size(const Samples& train, const Samples& samples,
                                            const std::vector<int>& sizes, MaxFeatures max_features, Key key);

 private:
  int classes_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace lrid::learn
