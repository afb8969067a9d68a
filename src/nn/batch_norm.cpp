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
  const Tensor y = at::batch_norm(x, scale, shift, running_mean, running_var, training, 1 - settings_.decay,
                                  settings_.epsilon, true);
  return relu ? y.relu() : y;
}

}  // namespace lrid::nn
