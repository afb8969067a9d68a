#include "alignment.hpp"

#include <cmath>
#include <numbers>

#include <torch/csrc/autograd/grad_mode.h>

namespace lrid::observe {

namespace {

using nn::Tensor;

double length(const Tensor& tensor) {
  return tensor.to(torch::kFloat64).norm().item<double>();
}

/// By the chord between unit vectors: exact for small angles too, where the arc cosine of a dot product is
/// not.
double angle(const Tensor& a, const Tensor& b) {
  const Tensor u = a.to(torch::kFloat64), v = b.to(torch::kFloat64);
  const Tensor unit_u = u / u.norm(), unit_v = v / v.norm();
  const double difference = (unit_u - unit_v).norm().item<double>(),
               sum = (unit_u + unit_v).norm().item<double>();
  return 2 * std::atan2(difference, sum) * 180 / std::numbers::pi;
}

/// Sets back what a pass in training mode changes.
class PutBack {
 public:
  explicit PutBack(nn::Network& network) : network_(network), training_(network.training()) {
    for (const nn::NamedTensor& buffer : network.buffers()) buffers_.push_back(buffer.tensor.clone());
    for (const auto& layer : network.layers()) layer->capture.keep_error = true;
    network.set_training(true);
  }
  ~PutBack() {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < buffers_.size(); ++i) network_.buffers()[i].tensor.copy_(buffers_[i]);
    for (const nn::Parameter& parameter : network_.parameters()) parameter.tensor.mutable_grad().reset();
    for (const auto& layer : network_.layers()) {
      layer->capture.keep_error = false;
      for (Tensor* kept : {&layer->capture.error, &layer->capture.input, &layer->capture.preactivation})
        kept->reset();
    }
    network_.set_training(training_);
  }
  PutBack(const PutBack&) = delete;
  PutBack& operator=(const PutBack&) = delete;

 private:
  nn::Network& network_;
  bool training_;
  std::vector<Tensor> buffers_;
};

}  // namespace

std::vector<LayerAlignment> measure_alignment(nn::Network& network, rules::LearningRule& rule,
                                              const tasks::Task& task, const tasks::Batch& batch) {
  const PutBack put_back(network);
  task.loss(network.forward(batch.inputs), batch.targets).loss.backward();
  const torch::NoGradGuard no_grad;
  std::vector<LayerAlignment> result;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const nn::ObservedLayer& layer = *network.layers()[i];
    const Tensor b = rule.backward_kernel(i);
    if (!b.defined()) {
      result.push_back({NAN, NAN, NAN});
      continue;
    }
    double error_angle = NAN;
    if (i > 0 && layer.capture.error.defined()) {
      const auto sent = [&](const Tensor& kernel) {
        return layer.apply_transposed(kernel, layer.capture.error, layer.capture.input_sizes);
      };
      error_angle = angle(sent(b), sent(layer.weight));
    }
    result.push_back({angle(layer.weight, b), error_angle, length(b) / length(layer.weight)});
  }
  return result;
}

}  // namespace lrid::observe
