#pragma once

#include <array>
#include <vector>

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

  bool operator==(const LayerwiseWeights&) const = default;
};

/// The same for a step that can be recorded and replayed: which terms there are is known to the host and part
/// of what is recorded; how much they weigh, per batch and per sample, stands in device memory.
class DeviceWeights {
 public:
  /// Factors of the gradients and values of R.
  enum Factor {
    amp,
    null,
    decay,
    sparse,
    self,
    reversed_null,
    twice_null,
    twice_decay,
    twice_sparse,
    twice_reversed_null,
    amp_by_twice_null,
    factors
  };

  DeviceWeights() = default;
  /// In the type and on the device of `options`.
  explicit DeviceWeights(const torch::TensorOptions& options);

  /// Host side, before the step. Waits for nothing.
  void set(const LayerwiseWeights& weights);
  /// In the step, before of_sample() is used: how many samples the batch has.
  void set_batch(std::int64_t samples);

  [[nodiscard]] const LayerwiseWeights& on_host() const { return weights_; }
  /// Scalars.
  [[nodiscard]] const Tensor& operator[](Factor factor) const { return whole_[factor]; }
  [[nodiscard]] const Tensor& of_sample(Factor factor) const { return by_sample_[factor]; }
  /// The terms that there are, a bit each: steps with the same can replay each other.
  [[nodiscard]] std::uint64_t terms() const;

 private:
  LayerwiseWeights weights_;
  bool known_ = false;
  Tensor all_, all_by_sample_;                     // [factors]
  std::array<Tensor, factors> whole_, by_sample_;  // views of them
};

struct LayerwiseLoss {
  Tensor value;     ///< R, a scalar
  Tensor gradient;  ///< ∂R/∂B, shape of B
};

/// R of one layer and its gradient. `x` is the layer's input, `fwd` = W∗x + b before the ReLU (both unused,
/// and possibly undefined, where only decay and self weigh anything). `weights` know the batch of x.
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const DeviceWeights& weights);
LayerwiseLoss layerwise_loss(const nn::ObservedLayer& layer, const Tensor& backward_kernel, const Tensor& x,
                             const Tensor& fwd, const LayerwiseWeights& weights);

/// Products of the layer's own size (kernel∗x, transposed, kernel gradient) that layerwise_loss() makes.
int layerwise_products(const LayerwiseWeights& weights);

}  // namespace lrid::rules
