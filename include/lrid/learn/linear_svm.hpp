#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// Minimises the primal problem of LIBLINEAR's solver 2 (Fan et al. 2008, "LIBLINEAR: a library for large
/// linear classification", eq. 2),
///
///     f(w) = ½‖w‖² + C Σ_i max(0, 1 − y_i w·x_i)²,
///
/// by Newton's method with exact line search (Keerthi & DeCoste 2005, "A modified finite Newton method for
/// fast solution of large scale linear SVMs"). f is 1-strongly convex, hence f(w) − min f ≤ ‖∇f(w)‖²/2: the
/// solver stops when that certificate is at most `tolerance` of the minimum, at every C.
struct SquaredHingeSolution {
  Eigen::VectorXd w;     ///< [d]
  double objective = 0;  ///< f(w)
  double gap = 0;        ///< certified bound on (f(w) − min f) / min f
  int steps = 0;         ///< Newton steps
};

/// `x`: [n, d], a bias being one of its columns; `y`: [n] of ±1; `start`: [d] (any point; near ones save
/// steps).
SquaredHingeSolution solve_squared_hinge(const Eigen::Ref<const Matrix>& x, const Eigen::VectorXd& y,
                                         double c, const Eigen::VectorXd& start, double tolerance = 1e-8);

/// The classifier "svm", a LinearModel with one class against the rest in each column: C × number of
/// principal components (0: no PCA). PCA acts on the continuous features; position and bias are prepended
/// after it. Because the penalty does not change under rotation, the problem without PCA is solved in the
/// same rotated features, with all components that are not zero.
///
/// The classes are solved side by side, so that one pass over the samples serves all of them; every point of
/// the grid starts from its neighbours' solutions; and a Newton step's Gram matrix is updated by the samples
/// that changed side.
class LinearSvm : public Classifier {
 public:
  void declare(Options& options) override;
  [[nodiscard]] std::vector<Setting> settings() const override;
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return false; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;

 private:
  std::vector<double> c_ = {1, 50, 500, 5e3, 5e4, 5e5, 5e6};
  std::vector<std::int64_t> pca_ = {0, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 600};
};

}  // namespace lrid::learn
