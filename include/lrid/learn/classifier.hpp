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
  /// [n, classes] scores; the class with the highest is the prediction. `samples` must be standardised as the
  /// training samples were.
  [[nodiscard]] virtual Matrix scores(const Samples& samples) const = 0;
  /// One importance for each column of the layout, summing to 1; empty if the classifier has none.
  [[nodiscard]] virtual std::vector<double> importances() const { return {}; }
  /// Writes everything scores() needs; Classifier::load() reads it back.
  virtual void save(io::hdf5::Group& group) const = 0;
};

/// Predictions of every setting of a grid on one fold.
struct GridOutcome {
  /// [setting] of [validation samples, classes], as Model::scores(); empty for settings the data do not admit
  /// (a kernel longer than the trajectory, more components than the rank). Equivalent settings are computed
  /// once.
  std::vector<Matrix> scores;
  std::int64_t computed = 0, coinciding = 0, skipped = 0;
};

/// A classifier with its grid of hyperparameters. It fits the grid itself, since settings share work: a
/// forest contains the smaller ones, a principal component analysis the narrower ones. Everything random is
/// drawn from the key; results do not depend on the number of threads.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// Declares and reads the grid, in a table of the classifier's name. Throws InputError for a value out of
  /// range.
  virtual void declare(Options& options) = 0;
  /// All points of the grid, in the order in which they win ties.
  [[nodiscard]] virtual std::vector<Setting> settings() const = 0;
  /// Lines for the results' notes: where the grid differs from the study's. May be empty.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
  /// Length of the shortest trajectories that any setting can be fitted to.
  [[nodiscard]] virtual std::int64_t least_points() const { return 1; }
  /// Fits every setting to `train` and predicts `validation`.
  [[nodiscard]] virtual GridOutcome fit_grid(const Samples& train, const Samples& validation,
                                             Key key) const = 0;
  /// Fits one setting. The same samples and key give the same model.
  [[nodiscard]] virtual std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                                   Key key) const = 0;
  /// Whether scores are (uncalibrated) class probabilities, rather than unbounded decision values.
  [[nodiscard]] virtual bool scores_are_probabilities() const = 0;
  /// Reads a model written by Model::save() for this layout and number of classes; its scores are the same
  /// bit for bit. Throws InputError naming what is missing or does not fit.
  [[nodiscard]] virtual std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                                    int classes) const = 0;
};

struct ClassifierEntry {
  std::string name, summary;
  std::unique_ptr<Classifier> (*make)();
};
/// svm, forest, mlp, and the baselines knn, logistic and majority.
const Registry<ClassifierEntry>& classifiers();

/// [rows] columns of the highest score; the first of equals.
std::vector<int> predicted_classes(const Matrix& scores);

}  // namespace lrid::learn
