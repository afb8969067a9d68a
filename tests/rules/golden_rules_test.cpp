// Every rule of the registry held to rules.h5 step by step, in float64, to 1e-10.
#include <array>
#include <cstdio>
#include <map>
#include <numbers>
#include <set>

#include <lrid/nn/checkpoint.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "coefficients.hpp"
#include "nn/tensors.hpp"
#include "rules/rule_parts.hpp"
#include "testing.hpp"
#include "tiny_network.hpp"

namespace lrid::rules {
namespace {

using testing::close;
using testing::read_tensor;
using torch::Tensor;

constexpr double golden_tolerance = 1e-10;

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
    const std::array keys = {"rule.alpha", "rule.beta", "rule.gamma"};
    for (std::size_t i = 0; i < coefficients.size(); ++i)
      if (coefficients[i] != 0) set(keys[i], coefficients[i]);
    if (!coefficients.empty() && name != "kp")
      set("rule.learning_rate", setup.attribute<double>("lr_backward_adam"));
    Options options(config);
    auto rule = learning_rules().at(name).make(options, 0.5);
    options.finish();
    return rule;
  }
};

/// The random numbers of setup/ instead of keyed ones: WM's noise, and brSF's magnitudes.
class RecordedDraws final : public StepDraws {
 public:
  explicit RecordedDraws(const io::hdf5::Group& setup) : StepDraws(Key(0)) {
    for (const char* layer : {"convA", "convB", "fcC", "fcD"}) {
      noise_[layer] = read_tensor(setup, std::string("wm_noise/") + layer).to(testing::device());
      draws_[layer] = read_tensor(setup, std::string("brsf_draws/") + layer).to(testing::device());
    }
  }
  [[nodiscard]] Tensor normal(std::string_view, const std::string& layer, const nn::StepNumber& step,
                              at::IntArrayRef, const torch::TensorOptions&) const override {
    return noise_.at(layer)[step.number()];
  }
  /// |Glorot uniform| in units of its limit.
  [[nodiscard]] Tensor uniform(std::string_view, const std::string& layer, const nn::StepNumber& step,
                               at::IntArrayRef shape, const torch::TensorOptions&) const override {
    const auto [in, out] = nn::fans(shape);
    return draws_.at(layer)[step.number()].abs() / std::sqrt(6.0 / static_cast<double>(in + out));
  }

 private:
  std::map<std::string, Tensor> noise_, draws_;
};

/// The largest deviation of a trajectory from its reference in units of the scale of each array.
struct Deviations {
  double largest = 0;
  void add(const Tensor& found, const Tensor& expected, const std::string& what) {
    EXPECT_TRUE(close(found, expected, golden_tolerance)) << what;
    const double scale = expected.nan_to_num().abs().max().item<double>();
    if (scale > 0)
      largest = std::max(largest, (found - expected).nan_to_num().abs().max().item<double>() / scale);
  }
};

TEST_P(GoldenRule, StepByStep) {
  const auto path = testing::golden_path("rules.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("rules.h5");
  const std::string& golden_name = golden_names.at(GetParam());
  const bool has_losses = std::set<std::string>{"IA", "WM", "SA", "AA", "KP"}.contains(golden_name);
  const auto coefficients = has_losses ? testing::coefficients(*path, golden_name) : std::vector<double>();
  const io::hdf5::InputFile file(*path);
  const io::hdf5::Group setup = file.root().group("setup");
  const io::hdf5::Group golden = file.root().group("rules/" + golden_name);

  const torch::Device device = testing::device();
  testing::TinyNetwork network(Key(1), torch::TensorOptions(torch::kFloat64).device(device));
  const auto rule = make(GetParam(), setup, coefficients);
  rule->attach(network, Key(3));
  {
    const torch::NoGradGuard no_grad;
    for (const nn::NamedTensor& item : nn::tensors_of(network))
      Tensor(item.tensor).copy_(read_tensor(setup, "initial/" + item.name));
    for (const nn::NamedTensor& item : rule->state())
      if (item.name.starts_with("backward/")) Tensor(item.tensor).copy_(read_tensor(setup, item.name));
    for (const nn::NamedTensor& item : rule->constants()) {
      const std::string layer = item.name.substr(item.name.find('/'));
      Tensor(item.tensor)
          .copy_(item.name.starts_with("magnitude") ? read_tensor(setup, "backward" + layer).abs()
                                                    : read_tensor(setup, "dfa" + layer));
    }
  }
  dynamic_cast<TaskDescent&>(*rule).set_draws(std::make_shared<RecordedDraws>(setup));
  const bool derived = golden.has_group("backward_used");  // B is made anew in each step
  const Tensor images = read_tensor(setup, "x").to(device),
               labels = read_tensor(setup, "labels").to(device, torch::kInt64);
  const std::int64_t steps = images.size(0);
  const double rate = setup.attribute<double>(GetParam() == "adam" ? "lr_adam" : "lr");

  std::map<std::string, std::vector<Tensor>> params, backward;
  std::vector<Tensor> loss, loss_ce, loss_l2, losses_r;
  std::vector<double> weight_angle, norm_ratio, error_angle;
  const auto record = [&] {
    for (const nn::NamedTensor& item : nn::tensors_of(network))
      params[item.name].push_back(item.tensor.detach().clone());
  };
  const auto record_kernels = [&] {
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
  if (!derived) record_kernels();
  for (std::int64_t step = 0; step < steps; ++step) {
    rule->prepare({.step = step, .learning_rate = rate, .schedule_factor = 1});
    if (derived) record_kernels();
    const Tensor ce = at::cross_entropy_loss(network.forward(images[step]), labels[step]);
    loss_ce.push_back(ce.detach());
    loss_l2.push_back(rule->decay_loss());
    loss.push_back(loss_ce.back() + loss_l2.back());
    ce.backward();
    if (step == 0) {
      for (const nn::Parameter& parameter : network.parameters())
        EXPECT_TRUE(close(parameter.tensor.grad(), read_tensor(golden, "grad_first/" + parameter.name),
                          golden_tolerance))
            << parameter.name;
    }
    if (rule->has_backward_kernels()) measure_alignment();
    rule->update();
    if (rule->layerwise_losses().defined()) losses_r.push_back(rule->layerwise_losses());
    record();
    if (!derived) record_kernels();
  }

  Deviations deviations;
  const auto hold = [&](const Tensor& found, const std::string& name) {
    deviations.add(found, read_tensor(golden, name), name);
  };
  for (const auto& [name, values] : params) hold(torch::stack(values), "params/" + name);
  EXPECT_EQ(golden.has_group("backward") || derived, rule->has_backward_kernels());
  for (const auto& [name, values] : backward)
    hold(torch::stack(values), (derived ? "backward_used/" : "backward/") + name);
  hold(torch::stack(loss), "loss");
  hold(torch::stack(loss_ce), "loss_ce");
  hold(torch::stack(loss_l2), "loss_l2");
  EXPECT_EQ(golden.has_dataset("R"), !losses_r.empty());
  if (!losses_r.empty()) hold(torch::stack(losses_r), "R");
  if (rule->has_backward_kernels()) {
    const auto table = [&](const std::vector<double>& values) {
      return torch::tensor(values, torch::kFloat64).reshape({steps, 4});
    };
    hold(table(weight_angle), "weight_angle");
    hold(table(norm_ratio), "norm_ratio");
    hold(table(error_angle), "error_angle");
  }
  std::printf("deviation %s %.1e\n", GetParam().c_str(), deviations.largest);
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenRule, ::testing::ValuesIn(learning_rules().names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace lrid::rules
