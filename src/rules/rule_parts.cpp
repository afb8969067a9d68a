#include "rule_parts.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include <torch/types.h>

#include <lrid/nn/keyed_tensor.hpp>

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

Tensor StepDraws::uniform(std::string_view purpose, const std::string& layer, const nn::StepNumber& step,
                          at::IntArrayRef shape, const torch::TensorOptions& options) const {
  return nn::keyed_uniform(shape, key_.with(purpose).with(layer), step, options);
}
Tensor StepDraws::normal(std::string_view purpose, const std::string& layer, const nn::StepNumber& step,
                         at::IntArrayRef shape, const torch::TensorOptions& options) const {
  return nn::keyed_normal(shape, key_.with(purpose).with(layer), step, options);
}

TaskDescent::TaskDescent(const SgdSettings& settings)
    : TaskDescent([settings](std::vector<nn::Parameter> all) { return make_sgd(std::move(all), settings); },
                  settings.weight_decay) {}

void TaskDescent::attach(nn::Network& network, Key key) {
  network_ = &network;
  optimizer_ = make_optimizer_(network.parameters());
  draws_ = std::make_shared<StepDraws>(key.with("draws"));
}

void TaskDescent::prepare(const StepInfo& info) {
  info_ = info;
  network_->step().set(info.step);
  optimizer_->set_rate(info.learning_rate, info.step);
}

std::uint64_t TaskDescent::step_form() const {
  return info_.task ? 1 : 0;
}

void TaskDescent::update() {
  if (!info_.task) return;
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const nn::Parameter& parameter : network_->parameters()) {
    // Taken, not zeroed: the next backward pass then hands over its buffers instead of adding to these.
    Tensor& gradient = parameter.tensor.mutable_grad();
    if (!gradient.defined()) throw std::logic_error(parameter.name + " has no gradient");
    gradients.push_back(std::exchange(gradient, Tensor()));
  }
  use_gradients(gradients);
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

std::vector<Tensor> draw_backward_kernels(const nn::Network& network, BackwardInitial initial, Key key) {
  std::vector<Tensor> kernels;
  for (const auto& layer : network.layers())
    kernels.push_back(initial == BackwardInitial::as_forward
                          ? layer->weight.detach().clone()
                          : layer->draw_kernel(key.with("backward").with(layer->spec().name)));
  return kernels;
}

SeparateFeedback::SeparateFeedback(const SgdSettings& settings, BackwardInitial initial)
    : TaskDescent(settings), initial_(initial) {}

void SeparateFeedback::attach(nn::Network& network, Key key) {
  TaskDescent::attach(network, key);
  kernels_ = draw_backward_kernels(network, initial_, key);
  for (std::size_t i = 0; i < kernels_.size(); ++i)
    network.layers()[i]->set_feedback(std::make_shared<SeparateKernel>(kernels_[i]));
}

std::vector<nn::NamedTensor> SeparateFeedback::state() {
  std::vector<nn::NamedTensor> result = TaskDescent::state();
  for (std::size_t i = 0; i < kernels_.size(); ++i)
    result.push_back({"backward/" + layer_name(i), kernels_[i]});
  return result;
}

std::vector<nn::Parameter> SeparateFeedback::kernel_parameters() const {
  std::vector<nn::Parameter> result;
  for (std::size_t i = 0; i < kernels_.size(); ++i) result.push_back({{layer_name(i), kernels_[i]}, false});
  return result;
}

void SeparateFeedback::add_noise(const KernelNoise& noise, const Tensor& rate) const {
  if (!noise.active()) return;
  for (std::size_t i = 0; i < kernels_.size(); ++i)
    Tensor(kernels_[i]).addcmul_(noise.draw(draws(), layer_name(i), network().step(), kernels_[i]), rate);
}

KernelNoise KernelNoise::declare(Options& options) {
  KernelNoise noise;
  std::string kind = "none";
  options.add("rule.noise", kind, Accepts::one_of({"none", "normal", "uniform"}),
              "distribution of the noise that B receives with each update, times its learning rate");
  options.add("rule.noise_variance", noise.variance_, Accepts::at_least(0), "variance of that noise");
  if (kind == "normal") noise.kind_ = Kind::normal;
  if (kind == "uniform") noise.kind_ = Kind::uniform;
  return noise;
}

Tensor KernelNoise::draw(const StepDraws& draws, const std::string& layer, const nn::StepNumber& step,
                         const Tensor& kernel) const {
  const std::string_view purpose = "kernel noise";
  if (kind_ == Kind::normal)
    return draws.normal(purpose, layer, step, kernel.sizes(), kernel.options()).mul_(std::sqrt(variance_));
  // Uniform in ±√3 has variance 1.
  return draws.uniform(purpose, layer, step, kernel.sizes(), kernel.options())
      .sub_(0.5)
      .mul_(std::sqrt(12 * variance_));
}

/// Makes the kernel when a backward pass asks for it: nothing is kept from step to step.
class SignSymmetry::Path final : public nn::FeedbackPath {
 public:
  Path(const SignSymmetry& rule, std::size_t layer) : rule_(rule), layer_(layer) {}
  [[nodiscard]] Tensor kernel(const Tensor& weight) const override {
    return weight.detach().sign().mul_(rule_.magnitude(layer_));
  }

 private:
  const SignSymmetry& rule_;
  std::size_t layer_;
};

SignSymmetry::~SignSymmetry() {
  // The paths refer to this rule; the network outlives it.
  if (attached())
    for (const auto& layer : network().layers()) layer->set_feedback(nullptr);
}

void SignSymmetry::attach(nn::Network& network, Key key) {
  TaskDescent::attach(network, key);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    network.layers()[i]->set_feedback(std::make_shared<Path>(*this, i));
}

Tensor SignSymmetry::backward_kernel(std::size_t layer) const {
  const nn::ObservedLayer& its = *network().layers().at(layer);
  return its.feedback()->kernel(its.weight);
}

}  // namespace lrid::rules
