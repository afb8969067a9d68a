// Every rule of the registry held to rules.h5 step by step, in float64, to 1e-10.
#include <numbers>

#include <lrid/nn/checkpoint.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "coefficients.hpp"
#include "tensors.hpp"
#include "testing.hpp"
#include "tiny_network.hpp"

namespace lrid::rules {
namespace {

using testing::close;
using testing::read_tensor;
using torch::Tensor;

constexpr double tolerance = 1e-10;

/// The file's names of rules.
const std::map<std::string, std::string> golden_names = {
    {"sgdm", "SGDM"}, {"adam", "Adam"}, {"fa", "FA"},   {"ia", "IA"},   {"wm", "WM"},     {"sa", "SA"},
    {"aa", "AA"},     {"kp", "KP"},     {"dfa", "DFA"}, {"usf", "uSF"}, {"brsf", "brSF"}, {"frsf", "frSF"}};

double degrees_between(const Tensor& a, const Tensor& b) {
  const Tensor u = a / a.norm(), v = b / b.norm();
  return 2 * std::atan2((u - v).norm().item<double>(), (u + v).norm().item<double>()) * 180 /
         std::numbers::pi;
}

class GoldenRule : public ::testing::TestWithParam<std::string> {
 protected:
  /// The rule with the constants of setup/ as its options.
  [[nodiscard]] static std::unique_ptr<LearningRule> make(const std::string& name,
                                                          const io::hdf5::Group& setup,
                                                          const std::vector<double>& coefficients) {
    Config config;
    const auto set = [&](const std::string& key, double value) { config.assign(key, {value}, "test"); };
    set("optimizer.weight_decay", setup.attribute<double>("weight_decay"));
    if (name != "adam") set("optimizer.momentum", setup.attribute<double>("momentum"));
    if (name == "ia") {
      set("rule.alpha", coefficients[0]);
      set("rule.beta", coefficients[1]);
      set("rule.gamma", coefficients[2]);
      set("rule.learning_rate", setup.attribute<double>("lr_backward_adam"));
    }
    Options options(config);
    auto rule = learning_rules().at(name).make(options, 0.5);
    options.finish();
    return rule;
  }
};

TEST_P(GoldenRule, StepByStep) {
  const auto path = testing::golden_path("rules.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("rules.h5");
  const auto coefficients = testing::coefficients(*path, "IA");
  const io::hdf5::InputFile file(*path);
  const io::hdf5::Group setup = file.root().group("setup");
  const io::hdf5::Group golden = file.root().group("rules/" + golden_names.at(GetParam()));

  testing::TinyNetwork network;
  const auto rule = make(GetParam(), setup, coefficients);
  rule->attach(network, Key(3));
  {
    const torch::NoGradGuard no_grad;
    for (const nn::NamedTensor& item : nn::tensors_of(network))
      Tensor(item.tensor).copy_(read_tensor(setup, "initial/" + item.name));
    if (rule->has_backward_kernels())
      for (std::size_t i = 0; i < 4; ++i)
        rule->backward_kernel(i).copy_(read_tensor(setup, "backward/" + network.layers()[i]->spec().name));
  }
  const Tensor images = read_tensor(setup, "x"), labels = read_tensor(setup, "labels").to(torch::kInt64);
  const std::int64_t steps = images.size(0);
  const double rate = setup.attribute<double>(GetParam() == "adam" ? "lr_adam" : "lr");

  std::map<std::string, std::vector<Tensor>> params, backward;
  std::vector<Tensor> loss, loss_ce, loss_l2, losses_r;
  std::vector<double> weight_angle, norm_ratio, error_angle;
  const auto record = [&] {
    for (const nn::NamedTensor& item : nn::tensors_of(network))
      params[item.name].push_back(item.tensor.detach().clone());
    if (rule->has_backward_kernels())
      for (std::size_t i = 0; i < 4; ++i)
        backward[network.layers()[i]->spec().name].push_back(rule->backward_kernel(i).clone());
  };
  const auto measure_alignment = [&] {
    for (std::size_t i = 0; i < 4; ++i) {
      const nn::ObservedLayer& layer = *network.layers()[i];
      const Tensor w = layer.weight.detach(), b = rule->backward_kernel(i);
      weight_angle.push_back(degrees_between(w, b));
      norm_ratio.push_back((b.norm() / w.norm()).item<double>());
      const auto sent = [&](const Tensor& kernel) {
        return layer.apply_transposed(kernel, layer.capture.error, layer.capture.input_sizes);
      };
      error_angle.push_back(i == 0 ? NAN : degrees_between(sent(w), sent(b)));
    }
  };

  for (const auto& layer : network.layers()) layer->capture.keep_error = true;
  record();
  for (std::int64_t step = 0; step < steps; ++step) {
    rule->prepare({.step = step, .learning_rate = rate, .schedule_factor = 1});
    const Tensor ce = at::cross_entropy_loss(network.forward(images[step]), labels[step]);
    loss_ce.push_back(ce.detach());
    loss_l2.push_back(rule->decay_loss());
    loss.push_back(loss_ce.back() + loss_l2.back());
    ce.backward();
    if (step == 0) {
      for (const nn::Parameter& parameter : network.parameters())
        EXPECT_TRUE(
            close(parameter.tensor.grad(), read_tensor(golden, "grad_first/" + parameter.name), tolerance))
            << parameter.name;
    }
    if (rule->has_backward_kernels()) measure_alignment();
    rule->update();
    if (rule->layerwise_losses().defined()) losses_r.push_back(rule->layerwise_losses());
    record();
  }

  for (const auto& [name, values] : params)
    EXPECT_TRUE(close(torch::stack(values), read_tensor(golden, "params/" + name), tolerance)) << name;
  EXPECT_EQ(golden.has_group("backward"), rule->has_backward_kernels());
  for (const auto& [name, values] : backward)
    EXPECT_TRUE(close(torch::stack(values), read_tensor(golden, "backward/" + name), tolerance)) << name;
  EXPECT_TRUE(close(torch::stack(loss), read_tensor(golden, "loss"), tolerance));
  EXPECT_TRUE(close(torch::stack(loss_ce), read_tensor(golden, "loss_ce"), tolerance));
  EXPECT_TRUE(close(torch::stack(loss_l2), read_tensor(golden, "loss_l2"), tolerance));
  EXPECT_EQ(golden.has_dataset("R"), !losses_r.empty());
  if (!losses_r.empty()) {
    EXPECT_TRUE(close(torch::stack(losses_r), read_tensor(golden, "R"), tolerance));
  }
  if (!rule->has_backward_kernels()) return;
  const auto table = [&](const std::vector<double>& values) {
    return torch::tensor(values, torch::kFloat64).reshape({steps, 4});
  };
  EXPECT_TRUE(close(table(weight_angle), read_tensor(golden, "weight_angle"), tolerance));
  EXPECT_TRUE(close(table(norm_ratio), read_tensor(golden, "norm_ratio"), tolerance));
  EXPECT_TRUE(close(table(error_angle), read_tensor(golden, "error_angle"), tolerance));
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenRule, ::testing::ValuesIn(learning_rules().names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace lrid::rules
