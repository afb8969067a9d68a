#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/registry.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// A point of a classifier's grid: hyperparameter → value.
using Hyperparameter = std::variant<bool, std::int64_t, double, std::string>;
using Setting = std::map<std::string, Hyperparameter>;

/// A fitted classifier.
class Model {
 public:
  virtual ~Model() = default;
  /// [n, classes]; the class with the highest score is the prediction. `samples` must have been standardised
  /// as the training samples were.
  [[nodiscard]] virtual Matrix scores(const Samples& samples) const = 0;
  /// Per column of the layout, summing to 1; empty where the classifier has none.
  [[nodiscard]] virtual std::vector<double> importances() const { return {}; }
  /// Writes what `scores` needs into `group`; Classifier::load reads it back.
  virtual void save(io::hdf5::Group& group) const = 0;
};

/// What came of one grid on one fold.
struct GridOutcome {
  /// [setting] of [validation samples, classes], as Model::scores; empty for settings that the data does not
  /// admit (a kernel longer than the trajectory, more components than the rank). Settings that coincide share
  /// a computation.
  std::vector<Matrix> scores;
  std::int64_t computed = 0, coinciding = 0, skipped = 0;
};

/// A classifier with its grid of hyperparameters. The grid is its own business, because that is where work
/// is shared: a forest contains the smaller ones, a principal component analysis the narrower ones.
/// Everything random is drawn from the key; results do not depend on the number of threads.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// Declares (and reads) the grid, in a table of the classifier's own name.
  virtual void declare(Options& options) = 0;
  /// All points of the grid, in grid order: earlier ones win ties.
  [[nodiscard]] virtual std::vector<Setting> settings() const = 0;
  /// What a reader should know about the grid: "grid reduced: …" where it is not the study's. May be empty.
  [[nodiscard]] virtual std::vector<std::string> notes() const = 0;
  /// The shortest trajectories that some setting can be fitted to.
  [[nodiscard]] virtual std::int64_t least_points() const { return 1; }
  /// Fits every setting on `train`, predicts `validation`.
  [[nodiscard]] virtual GridOutcome fit_grid(const Samples& train, const Samples& validation,
                                             Key key) const = 0;
  /// Fits one setting. Two classifiers fitted to the same samples with the same key are the same.
  [[nodiscard]] virtual std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                                   Key key) const = 0;
  /// Whether scores are class probabilities (not calibrated ones), or else decision values without bounds.
  [[nodiscard]] virtual bool scores_are_probabilities() const = 0;
  /// A model that `save` wrote, for samples of this layout and this many classes: its scores are the same bit
  /// for bit. InputError naming what is missing or does not fit.
  [[nodiscard]] virtual std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                                    int classes) const = 0;
};

struct ClassifierEntry {
  std::string name, summary;
  std::unique_ptr<Classifier> (*make)();
};
/// svm, forest, mlp; knn, logistic and majority to compare with.
const Registry<ClassifierEntry>& classifiers();

/// The column with the highest score of every row; the first of equals.
std::vector<int> predicted_classes(const Matrix& scores);

}  // namespace lrid::learn
