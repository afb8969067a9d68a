// Optimisers against their equations, written out here with plain tensor arithmetic.
#include "rules/optimizer.hpp"

#include <lrid/core/error.hpp>

#include "nn/tensors.hpp"

namespace lrid::rules {
namespace {

using testing::close;
using testing::normal;

constexpr double weight_decay = 0.02;

/// A decaying and a plain parameter, the first in channels-last memory.
std::vector<nn::Parameter> parameters(torch::ScalarType type = torch::kFloat64) {
  return {{{"kernel", normal({4, 3, 3, 3}, 1).to(type).contiguous(torch::MemoryFormat::ChannelsLast)}, true},
          {{"scale", normal({5}, 2).to(type)}, false}};
}
Tensor gradient(std::size_t parameter, int step, at::IntArrayRef shape) {
  return normal(shape, 100 * parameter + static_cast<std::uint64_t>(step) + 7);
}

/// Runs 5 steps of an optimiser and of its equation; `equation(p, g, lr, t)` returns the new p.
template <class Equation>
void expect_follows(const std::function<std::unique_ptr<Optimizer>(std::vector<nn::Parameter>)>& make,
                    const std::function<Equation()>& make_equation,
                    torch::ScalarType type = torch::kFloat64) {
  const std::vector<nn::Parameter> ours = parameters(type);
  const auto optimizer = make(ours);
  std::vector<Tensor> theirs;
  std::vector<Equation> equations;
  for (const nn::Parameter& parameter : parameters()) {
    theirs.push_back(parameter.tensor.clone());
    equations.push_back(make_equation());
  }
  for (int step = 0; step < 5; ++step) {
    const double rate = 0.1 / (1 + step);  // a schedule
    std::vector<Tensor> gradients;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const Tensor g = gradient(i, step, ours[i].tensor.sizes());
      gradients.push_back(g.to(type));  // in plain memory: strides differ from the parameter's
      theirs[i] = equations[i](theirs[i], ours[i].decays ? g + weight_decay * theirs[i] : g, rate, step + 1);
    }
    optimizer->set_rate(rate, step);
    optimizer->update(gradients);
  }
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_TRUE(close(ours[i].tensor, theirs[i], type == torch::kFloat64 ? 1e-13 : 1e-6)) << ours[i].name;
}

struct SgdEquation {
  SgdSettings settings;
  Tensor m{};
  Tensor operator()(const Tensor& p, const Tensor& g, double rate, int) {
    m = m.defined() ? settings.momentum * m + g : g.clone();
    if (settings.momentum == 0) return p - rate * g;
    return p - rate * (settings.nesterov ? g + settings.momentum * m : m);
  }
};

TEST(Optimizer, SgdFollowsItsEquation) {
  for (const auto type : {torch::kFloat64, torch::kFloat32})
    for (const double momentum : {0.9, 0.0})
      for (const bool nesterov : {true, false}) {
        const SgdSettings settings{.momentum = momentum, .nesterov = nesterov, .weight_decay = weight_decay};
        expect_follows<SgdEquation>([&](auto all) { return make_sgd(std::move(all), settings); },
                                    [&] { return SgdEquation{settings}; }, type);
      }
}

struct AdamEquation {
  AdamSettings settings;
  Tensor m{}, v{};
  Tensor operator()(const Tensor& p, const Tensor& g, double rate, int t) {
    if (!m.defined()) m = v = torch::zeros_like(g);
    m = settings.beta1 * m + (1 - settings.beta1) * g;
    v = settings.beta2 * v + (1 - settings.beta2) * g * g;
    const double c1 = 1 - std::pow(settings.beta1, t), c2 = 1 - std::pow(settings.beta2, t);
    if (settings.epsilon_form == AdamSettings::EpsilonForm::torch)
      return p - rate * (m / c1) / ((v / c2).sqrt() + settings.epsilon);
    return p - rate * std::sqrt(c2) / c1 * m / (v.sqrt() + settings.epsilon);
  }
};

TEST(Optimizer, AdamFollowsBothOfItsEquations) {
  for (const auto type : {torch::kFloat64, torch::kFloat32})
    for (const auto form : {AdamSettings::EpsilonForm::torch, AdamSettings::EpsilonForm::tensorflow}) {
      AdamSettings settings{
          .epsilon = 0.03, .epsilon_form = form, .weight_decay = weight_decay};  // ε that shows
      expect_follows<AdamEquation>([&](auto all) { return make_adam(std::move(all), settings); },
                                   [&] { return AdamEquation{settings}; }, type);
    }
}

TEST(Optimizer, ResumesFromItsState) {
  const auto run = [](int interrupted_after) {
    std::vector<nn::Parameter> ours = parameters();
    auto optimizer = make_adam(ours, {});
    for (int step = 0; step < 6; ++step) {
      if (step == interrupted_after) {
        std::vector<Tensor> saved;
        for (const nn::NamedTensor& item : optimizer->state("")) saved.push_back(item.tensor.clone());
        optimizer = make_adam(ours, {});
        const auto fresh = optimizer->state("");
        for (std::size_t i = 0; i < saved.size(); ++i) Tensor(fresh[i].tensor).copy_(saved[i]);
      }
      std::vector<Tensor> gradients;
      for (std::size_t i = 0; i < ours.size(); ++i)
        gradients.push_back(gradient(i, step, ours[i].tensor.sizes()));
      optimizer->set_rate(0.01, step);
      optimizer->update(gradients);
    }
    return ours;
  };
  const auto whole = run(-1), resumed = run(3);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(whole[i].tensor.equal(resumed[i].tensor));
}

TEST(Optimizer, OptionsSayWhatWasUsed) {
  Options options;
  EXPECT_EQ(SgdSettings::declare(options, 1e-5).weight_decay, 1e-5);
  EXPECT_EQ(options.values().at("optimizer.weight_decay"), "1e-05");
  Config config;
  config.assign("optimizer.epsilon_form=tensorflow");
  config.assign("optimizer.weight_decay=0.5");
  Options set(config);
  const AdamSettings adam = AdamSettings::declare(set, 1e-5);
  EXPECT_EQ(adam.epsilon_form, AdamSettings::EpsilonForm::tensorflow);
  EXPECT_EQ(adam.weight_decay, 0.5);
  Config bad;
  bad.assign("optimizer.momentum=1.0");
  Options refuse(bad);
  EXPECT_THROW(SgdSettings::declare(refuse, 0), InputError);
}

}  // namespace
}  // namespace lrid::rules
