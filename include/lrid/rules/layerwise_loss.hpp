#pragma once

#include <lrid/nn/layer.hpp>

namespace lrid::rules {

using nn::Tensor;

/// The layer-wise alignment losses R that teach B (Kunin et al. 2020; learning-rules.md, "Layer-wise
/// alignment losses"): a weighted sum of
///
///     amp    −⟨Σ Fwd·Bwd⟩      Fwd = W∗x + b,  Bwd = B∗x + b
///     null    ⟨Σ Rec²⟩          Rec = Bᵀ∗Fwd
///     reversed_null  ⟨Σ (Wᵀ∗Bwd)²⟩
///     decay   Σ W² + Σ B²
///     sparse  ⟨Σ Fwd²⟩ + ⟨Σ Bwd²⟩
///     self   −Σ W·B
///
/// ⟨·⟩: mean over the batch; Σ over units. x, b and W are constants here: only B learns from R.
struct LayerwiseWeights {
  double amp = 0, null = 0, decay = 0, sparse = 0, self = 0, reversed_null = 0;
  bool amp_bias = true;  ///< false: amp without Bwd's bias, −⟨Σ x·Rec⟩; the same gradient
};

struct LayerwiseLoss {
  Tensor value;     ///< R, a scalar
  Tensor gradient;  ///< ∂R/∂B, shape of B
};

/// R of one layer and its gradient. `x` is the layer's input, `fwd` = W∗x + b before the ReLU (both unused,
/// and possibly undefined, where only decay and self weigh anything).
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const LayerwiseWeights& weights);

/// Products of the layer's own size (kernel∗x, transposed, kernel gradient) that layerwise_loss() makes.
int layerwise_products(const LayerwiseWeights& weights);

}  // namespace lrid::rules
