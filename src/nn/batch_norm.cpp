#include <torch/types.h>

#include <lrid/nn/batch_norm.hpp>

namespace lrid::nn {

BatchNorm::BatchNorm(std::int64_t channels, const Settings& settings, const torch::TensorOptions& options)
    : settings_(settings) {
  const auto plain = options.memory_format(c10::nullopt);
  scale = torch::full({channels}, settings.initial_scale, plain);
  shift = torch::zeros({channels}, plain);
  scale.set_requires_grad(true);
  shift.set_requires_grad(settings.shift);
  running_mean = torch::zeros({channels}, plain);
  running_var = torch::ones({channels}, plain);
}

Tensor BatchNorm::forward(const Tensor& x, bool training, bool relu) {
  const bool biased = training && settings_.running_variance == RunningVariance::biased;
  const Tensor decayed = biased ? running_var * settings_.decay : Tensor();
  Tensor y = at::batch_norm(x, scale, shift, running_mean, running_var, training, 1 - settings_.decay,
                            settings_.epsilon, true);
  // Undoes the factor n/(n−1) in the part just added to the average. (Bypasses autograd, which guards running
  // averages against changes though no training pass needs them.)
  if (biased)
    running_var.variable_data().lerp_(decayed,
                                      static_cast<double>(x.size(1)) / static_cast<double>(x.numel()));
  return relu ? y.relu_() : y;
}

}  // namespace lrid::nn
