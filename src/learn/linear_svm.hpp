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
/// solver stops when this bound is at most `tolerance` of the minimum, at every C.
struct SquaredHingeSolution {
  Eigen::VectorXd w;     ///< [d]
  double objective = 0;  ///< f(w)
  double gap = 0;        ///< certified bound on (f(w) − min f) / min f
  int steps = 0;         ///< Newton steps
};

/// `x`: [n, d], including a column for the bias; `y`: [n] of ±1; `start`: [d], any point (a close one saves
/// steps).
SquaredHingeSolution solve_squared_hinge(const Eigen::Ref<const Matrix>& x, const Eigen::VectorXd& y,
                                         double c, const Eigen::VectorXd& start, double tolerance = 1e-8);

}  // namespace lrid::learn
