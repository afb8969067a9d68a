#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// Minimises the penalised loss of multinomial logistic regression,
///
///     f(W) = ½‖W‖² + C Σ_i −log p_i(y_i),   p_i = softmax(Wᵀx_i),
///
/// by Newton's method, whose steps come from conjugate gradients (Lin, Weng & Keerthi 2008, "Trust region
/// Newton method for large-scale logistic regression"), here with step halving instead of a trust region, and
/// preconditioned by the Hessian's blocks for single classes. f is 1-strongly convex, hence f(W) − min f ≤
/// ‖∇f(W)‖²/2: the solver stops when this bound is at most `tolerance` of the minimum.
struct LogisticSolution {
  Matrix weights;        ///< [d, classes]
  double objective = 0;  ///< f(W)
  double gap = 0;        ///< certified bound on (f(W) − min f) / min f
  int steps = 0;         ///< Newton steps
};

/// `x`: [n, d], including a column for the bias; `labels`: [n] from 0; `start`: [d, classes], any point (a
/// close one saves steps).
LogisticSolution solve_logistic(const Matrix& x, const std::vector<int>& labels, double c,
                                const Matrix& start, double tolerance = 1e-8);

}  // namespace lrid::learn
