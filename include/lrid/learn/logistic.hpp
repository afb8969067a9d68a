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
/// Newton method for large-scale logistic regression"), here with halved steps instead of a trust region, and
/// preconditioned by the Hessian without what couples the classes. f is 1-strongly convex, hence f(W) − min f
/// ≤ ‖∇f(W)‖²/2: the solver stops when that certificate is at most `tolerance` of the minimum.
struct LogisticSolution {
  Matrix weights;        ///< [d, classes]
  double objective = 0;  ///< f(W)
  double gap = 0;        ///< certified bound on (f(W) − min f) / min f
  int steps = 0;         ///< Newton steps
};

/// `x`: [n, d], a bias being one of its columns; `labels`: [n] from 0; `start`: [d, classes] (any
/// point; near ones save steps).
LogisticSolution solve_logistic(const Matrix& x, const std::vector<int>& labels, double c,
                                const Matrix& start, double tolerance = 1e-8);

/// The classifier "logistic", a simple one to compare with: multinomial logistic regression on the
/// standardised features, bias and position, all of them penalised. Its scores are the logits. Grid: C.
class Logistic : public Classifier {
 public:
  void declare(Options& options) override;
  [[nodiscard]] std::vector<Setting> settings() const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return {}; }  // not one of the study's
  [[nodiscard]] GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return false; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;

 private:
  std::vector<double> c_ = {0.01, 1, 100};
};

}  // namespace lrid::learn
