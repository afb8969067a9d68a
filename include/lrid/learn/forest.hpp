#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// How many features a split looks at: ⌊√d⌋, ⌊log₂ d⌋ or all d (at least one).
enum class MaxFeatures { sqrt, log2, all };

/// A classification tree: exact splits that minimise Gini impurity, grown until every leaf is pure (or its
/// samples have equal features). Breiman, Friedman, Olshen & Stone 1984.
class Tree {
 public:
  struct Node {
    std::int32_t feature = -1;  ///< −1: a leaf
    std::int32_t left = -1;     ///< child where value ≤ threshold; in a leaf: index of its class shares
    std::int32_t right = -1;
    double threshold = 0;
  };

  /// [classes] shares of the training weight in the leaf where a sample arrives. `row`: [columns].
  [[nodiscard]] const double* shares(const double* row) const {
    const Node* node = nodes.data();
    while (node->feature >= 0)
      node = nodes.data() + (row[node->feature] <= node->threshold ? node->left : node->right);
    return leaf_shares.data() + node->left;
  }

  std::vector<Node> nodes;
  std::vector<double> leaf_shares;  ///< class shares of the leaves, one leaf after the other
  std::vector<double>
      importances;  ///< [columns] decrease of impurity, summing to 1 (0 for a tree of one leaf)
};

/// A random forest: every tree sees a bootstrap sample (as weights) and, at each split, a random subset of
/// the features; votes are the trees' class shares, averaged. Breiman 2001, "Random forests".
/// Tree i depends on the key and i only, so a forest contains the smaller ones and the number of threads
/// changes nothing. Memory: about 40 bytes a node.
class Forest : public Model {
 public:
  static Forest grow(const Samples& train, int trees, MaxFeatures max_features, Key key);

  [[nodiscard]] Matrix scores(const Samples& samples) const override;
  /// Mean over trees of the decrease of Gini impurity; empty for a forest that was loaded.
  [[nodiscard]] std::vector<double> importances() const override;
  [[nodiscard]] const std::vector<Tree>& trees() const { return trees_; }
  /// The trees without their importances.
  void save(io::hdf5::Group& group) const override;
  static Forest load(const io::hdf5::Group& group, std::int64_t columns, int classes);

  /// Votes of the first sizes[0], sizes[1], ... trees (ascending sizes) without keeping the trees:
  /// [size] of [n, classes].
  static std::vector<Matrix> scores_by_size(const Samples& train, const Samples& samples,
                                            const std::vector<int>& sizes, MaxFeatures max_features, Key key);

 private:
  int classes_ = 0;
  std::vector<Tree> trees_;
};

/// The classifier "forest": trees × features a split.
class ForestClassifier : public Classifier {
 public:
  void declare(Options& options) override;
  [[nodiscard]] std::vector<Setting> settings() const override;
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return true; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;

 private:
  std::vector<std::int64_t> trees_ = {20, 50, 100, 500, 1000};
  std::vector<std::string> max_features_ = {"sqrt", "log2", "all"};
};

}  // namespace lrid::learn
