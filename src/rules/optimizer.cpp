#include "optimizer.hpp"

#include <optional>

#include <torch/types.h>

namespace lrid::rules {

namespace {

double declare_weight_decay(Options& options, double otherwise) {
  std::optional<double> weight_decay;
  options.add("optimizer.weight_decay", weight_decay, Accepts::at_least(0),
              "L2 term of the task loss on W and b; auto: the architecture's");
  options.resolve("optimizer.weight_decay", {weight_decay.value_or(otherwise)});
  return weight_decay.value_or(otherwise);
}

/// Tensors that decay and tensors that do not: LibTorch's fused kernels take one weight decay per call. On a
/// GPU these read the rate as float32 whatever the tensors are: float64 goes through _foreach operations.
struct Group {
  double weight_decay;
  std::vector<Tensor> tensors;
  std::vector<std::vector<Tensor>> moments;  // [moment][tensor]
  std::vector<std::size_t> members;          // their places in the optimiser's list

  /// Their gradients out of the whole list, in the tensors' own strides: fused kernels walk tensor, gradient
  /// and moments side by side.
  [[nodiscard]] std::vector<Tensor> of(const std::vector<Tensor>& gradients) const {
    std::vector<Tensor> result;
    result.reserve(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const Tensor& gradient = gradients[members[i]];
      result.push_back(
          gradient.strides() == tensors[i].strides() ? gradient : at::empty_like(tensors[i]).copy_(gradient));
    }
    return result;
  }
};

std::vector<Group> make_groups(const std::vector<nn::Parameter>& parameters, double weight_decay,
                               std::size_t moments) {
  std::vector<Group> groups;
  for (const bool decays : {true, false}) {
    Group group{decays ? weight_decay : 0, {}, std::vector<std::vector<Tensor>>(moments), {}};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].decays != decays) continue;
      group.members.push_back(i);
      group.tensors.push_back(parameters[i].tensor.detach());
      for (auto& moment : group.moments) moment.push_back(torch::zeros_like(group.tensors.back()));
    }
    if (!group.members.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

/// A scalar on the tensors' device, float32 unless they are float64.
Tensor device_scalar(const std::vector<nn::Parameter>& parameters) {
  const Tensor& first = parameters.at(0).tensor;
  const auto type = first.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
  return torch::zeros({}, first.options().dtype(type).requires_grad(false));
}

class GroupOptimizer : public Optimizer {
 public:
  GroupOptimizer(std::vector<nn::Parameter> parameters, double weight_decay, std::vector<std::string> moments)
      : parameters_(std::move(parameters)),
        groups_(make_groups(parameters_, weight_decay, moments.size())),
        moments_(std::move(moments)),
        rate_(device_scalar(parameters_)) {}

  [[nodiscard]] const Tensor& rate() const override { return rate_; }
  [[nodiscard]] bool fused() const { return rate_.scalar_type() == torch::kFloat32; }

  [[nodiscard]] std::vector<nn::NamedTensor> state(const std::string& prefix) const override {
    std::vector<nn::NamedTensor> result;
    for (std::size_t moment = 0; moment < moments_.size(); ++moment)
      for (const Group& group : groups_)
        for (std::size_t i = 0; i < group.members.size(); ++i)
          result.push_back({prefix + moments_[moment] + "/" + parameters_[group.members[i]].name,
                            group.moments[moment][i]});
    return result;
  }

 protected:
  std::vector<nn::Parameter> parameters_;
  std::vector<Group> groups_;
  std::vector<std::string> moments_;
  Tensor rate_;
};

class Sgd final : public GroupOptimizer {
 public:
  Sgd(std::vector<nn::Parameter> parameters, const SgdSettings& settings)
      : GroupOptimizer(
            std::move(parameters), settings.weight_decay,
            settings.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}),
        settings_(settings) {}

  void set_rate(double learning_rate, std::int64_t) override { rate_.fill_(learning_rate); }

  void update(std::vector<Tensor>& gradients) override {
    // The first step needs no case of its own: m = momentum·0 + g.
    for (Group& group : groups_) {
      std::vector<Tensor> g = group.of(gradients);
      if (fused())
        at::_fused_sgd_(group.tensors, g, group.moments.empty() ? std::vector<Tensor>{} : group.moments[0],
                        group.weight_decay, settings_.momentum, rate_, /*dampening=*/0,
                        settings_.nesterov && settings_.momentum > 0,
                        /*maximize=*/false, /*is_first_step=*/false);
      else
        update_one_by_one(group, g);
    }
  }

 private:
  void update_one_by_one(Group& group, std::vector<Tensor>& g) const {
    if (group.weight_decay > 0) at::_foreach_add_(g, group.tensors, group.weight_decay);
    if (!group.moments.empty()) {
      auto& m = group.moments[0];
      at::_foreach_mul_(m, settings_.momentum);
      at::_foreach_add_(m, g);
      if (settings_.nesterov)
        at::_foreach_add_(g, m, settings_.momentum);
      else
        g = m;
    }
    at::_foreach_sub_(group.tensors, at::_foreach_mul(g, rate_));
  }

  SgdSettings settings_;
};

class Adam final : public GroupOptimizer {
 public:
  Adam(std::vector<nn::Parameter> parameters, const AdamSettings& settings)
      : GroupOptimizer(std::move(parameters), settings.weight_decay, {"first_moment", "second_moment"}),
        settings_(settings),
        step_(torch::zeros({}, rate_.options().dtype(torch::kFloat32))),
        root_(torch::zeros_like(rate_)),
        corrected_rate_(torch::zeros_like(rate_)) {}

  void set_rate(double learning_rate, std::int64_t step) override {
    const auto t = static_cast<double>(step + 1);
    const double root = std::sqrt(1 - std::pow(settings_.beta2, t));
    const double corrected = learning_rate / (1 - std::pow(settings_.beta1, t));
    step_.fill_(t);
    root_.fill_(root);
    corrected_rate_.fill_(corrected);
    rate_.fill_(settings_.epsilon_form == AdamSettings::EpsilonForm::tensorflow ? corrected * root
                                                                                : learning_rate);
  }

  void update(std::vector<Tensor>& gradients) override {
    for (Group& group : groups_) {
      std::vector<Tensor> g = group.of(gradients);
      if (settings_.epsilon_form == AdamSettings::EpsilonForm::torch && fused())
        at::_fused_adam_(group.tensors, g, group.moments[0], group.moments[1], {},
                         std::vector<Tensor>(g.size(), step_), rate_, settings_.beta1, settings_.beta2,
                         group.weight_decay, settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
      else
        update_one_by_one(group, g);
    }
  }

 private:
  void update_one_by_one(Group& group, std::vector<Tensor>& g) const {
    auto &m = group.moments[0], &v = group.moments[1];
    if (group.weight_decay > 0) at::_foreach_add_(g, group.tensors, group.weight_decay);
    at::_foreach_lerp_(m, g, 1 - settings_.beta1);
    at::_foreach_mul_(v, settings_.beta2);
    at::_foreach_addcmul_(v, g, g, 1 - settings_.beta2);
    const bool corrects_root = settings_.epsilon_form == AdamSettings::EpsilonForm::torch;
    std::vector<Tensor> denominator = at::_foreach_sqrt(v);
    if (corrects_root) at::_foreach_div_(denominator, root_);
    at::_foreach_add_(denominator, settings_.epsilon);
    std::vector<Tensor> change = at::_foreach_div(m, denominator);
    at::_foreach_mul_(change, corrects_root ? corrected_rate_ : rate_);
    at::_foreach_sub_(group.tensors, change);
  }

  AdamSettings settings_;
  Tensor step_;                   // t
  Tensor root_, corrected_rate_;  // a and lrₜ (optimizer.hpp)
};

}  // namespace

SgdSettings SgdSettings::declare(Options& options, double default_weight_decay) {
  SgdSettings settings;
  options.add("optimizer.momentum", settings.momentum, {.low = 0, .high = 0.9999999}, "momentum of SGD");
  options.add("optimizer.nesterov", settings.nesterov, Accepts::anything(), "Nesterov's form of momentum");
  settings.weight_decay = declare_weight_decay(options, default_weight_decay);
  return settings;
}

AdamSettings AdamSettings::declare(Options& options, double default_weight_decay) {
  AdamSettings settings;
  options.add("optimizer.beta1", settings.beta1, {.low = 0, .high = 0.9999999},
              "decay of Adam's first moment");
  options.add("optimizer.beta2", settings.beta2, {.low = 0, .high = 0.9999999},
              "decay of Adam's second moment");
  options.add("optimizer.epsilon", settings.epsilon, Accepts::above(0), "Adam's ε");
  std::string form = "torch";
  options.add("optimizer.epsilon_form", form, Accepts::one_of({"torch", "tensorflow"}),
              "where ε stands: torch: added to the bias-corrected root; tensorflow: to the raw one");
  if (form == "tensorflow") settings.epsilon_form = EpsilonForm::tensorflow;
  settings.weight_decay = declare_weight_decay(options, default_weight_decay);
  return settings;
}

std::unique_ptr<Optimizer> make_sgd(std::vector<nn::Parameter> parameters, const SgdSettings& settings) {
  return std::make_unique<Sgd>(std::move(parameters), settings);
}

std::unique_ptr<Optimizer> make_adam(std::vector<nn::Parameter> parameters, const AdamSettings& settings) {
  return std::make_unique<Adam>(std::move(parameters), settings);
}

}  // namespace lrid::rules
