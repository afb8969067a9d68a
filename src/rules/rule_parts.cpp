#include "rule_parts.hpp"

#include <stdexcept>

#include <torch/types.h>

namespace lrid::rules {

namespace {

/// Carries the error down through a kernel of its own.
class SeparateKernel final : public nn::FeedbackPath {
 public:
  explicit SeparateKernel(Tensor kernel) : kernel_(std::move(kernel)) {}
  [[nodiscard]] Tensor kernel(const Tensor&) const override { return kernel_; }

 private:
  Tensor kernel_;
};

}  // namespace

void TaskDescent::attach(nn::Network& network, Key) {
  network_ = &network;
  optimizer_ = make_optimizer_(network.parameters());
}

void TaskDescent::update() {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const nn::Parameter& parameter : network_->parameters()) {
    // Taken, not zeroed: the next backward pass then hands over its buffers instead of adding to these.
    Tensor& gradient = parameter.tensor.mutable_grad();
    if (!gradient.defined()) throw std::logic_error(parameter.name + " has no gradient");
    gradients.push_back(std::move(gradient));
    gradient.reset();
  }
  optimizer_->update(gradients);
}

Tensor TaskDescent::decay_loss() const {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> decaying;
  for (const nn::Parameter& parameter : network_->parameters())
    if (parameter.decays) decaying.push_back(parameter.tensor);
  return at::stack(at::_foreach_norm(decaying, 2)).square().sum() * (weight_decay_ / 2);
}

BackwardInitial declare_backward_initial(Options& options) {
  std::string initial = "independent";
  options.add("rule.backward_initial", initial, Accepts::one_of({"independent", "as-forward"}),
              "B's initial values: a draw of its own from W's distribution, or W's");
  return initial == "independent" ? BackwardInitial::independent : BackwardInitial::as_forward;
}

SeparateFeedback::SeparateFeedback(const SgdSettings& settings, BackwardInitial initial)
    : TaskDescent([settings](std::vector<nn::Parameter> all) { return make_sgd(std::move(all), settings); },
                  settings.weight_decay),
      initial_(initial) {}

void SeparateFeedback::attach(nn::Network& network, Key key) {
  TaskDescent::attach(network, key);
  kernels_.clear();
  for (const auto& layer : network.layers()) {
    kernels_.push_back(initial_ == BackwardInitial::as_forward
                           ? layer->weight.detach().clone()
                           : layer->draw_kernel(key.with("backward").with(layer->spec().name)));
    layer->set_feedback(std::make_shared<SeparateKernel>(kernels_.back()));
  }
}

std::vector<nn::NamedTensor> SeparateFeedback::state() {
  std::vector<nn::NamedTensor> result = TaskDescent::state();
  for (std::size_t i = 0; i < kernels_.size(); ++i)
    result.push_back({"backward/" + network().layers()[i]->spec().name, kernels_[i]});
  return result;
}

}  // namespace lrid::rules
