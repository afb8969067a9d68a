#pragma once

#include <cstdint>

#include <torch/types.h>

namespace lrid::nn {

using torch::Tensor;

/// Batch normalisation over all axes but the channels (Ioffe & Szegedy 2015):
/// y = scale·(x − mean)/√(var + ε) + shift, with the batch's mean and biased variance while training, with
/// running averages in evaluation mode. Running averages move by (1 − decay) towards the batch's mean and
/// *unbiased* variance, n/(n−1) times the biased one, unless the settings ask for the biased one.
class BatchNorm {
 public:
  enum class RunningVariance { unbiased, biased };
  struct Settings {
    double epsilon = 1e-5;
    double decay = 0.9;
    double initial_scale = 1;  ///< 0 for the last norm of a residual block
    bool shift = true;         ///< whether there is a trainable shift
    /// TensorFlow's: unbiased after convolutions, biased after fully connected layers (tasks.md, "Head").
    RunningVariance running_variance = RunningVariance::unbiased;
  };

  BatchNorm(std::int64_t channels, const Settings& settings, const torch::TensorOptions& options);

  /// x [N, C, H, W] or [N, C] → the same shape, through a ReLU where `relu` is set. Differentiable.
  Tensor forward(const Tensor& x, bool training, bool relu);

  Tensor scale;         ///< [C]
  Tensor shift;         ///< [C]; zeros that are not trained where the settings say so
  Tensor running_mean;  ///< [C]
  Tensor running_var;   ///< [C]

 private:
  Settings settings_;
};

}  // namespace lrid::nn
