#include <algorithm>

#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/train/floor.hpp>
#include <lrid/train/network_run.hpp>

namespace lrid::train {

namespace {

double bytes_of(const nn::Tensor& tensor) {
  return static_cast<double>(tensor.nbytes());
}

/// Numbers of one sample that go into a layer and come out of it.
struct LayerSizes {
  double input = 0, output = 0;
};

std::vector<LayerSizes> layer_sizes(nn::Network& network, const tasks::TaskShape& shape) {
  std::vector<LayerSizes> sizes;
  network.set_training(false);
  network.set_sink([&](std::size_t, const nn::Tensor& input, const nn::Tensor& output) {
    sizes.push_back({static_cast<double>(input.numel()), static_cast<double>(output.numel())});
  });
  network.forward(torch::zeros({1, shape.channels, shape.height, shape.width}));
  network.set_sink({});
  return sizes;
}

/// What carries the error down through each layer: W, B, or nothing (undefined).
std::vector<nn::Tensor> error_kernels(const nn::Network& network) {
  std::vector<nn::Tensor> kernels;
  for (const auto& layer : network.layers())
    kernels.push_back(layer->feedback() ? layer->feedback()->kernel(layer->weight) : layer->weight);
  return kernels;
}

/// Weights, gradients, B and moments: every step reads and writes them.
double state_bytes(const nn::Network& network, rules::LearningRule& rule,
                   const std::vector<nn::Tensor>& kernels, bool kernels_learn) {
  double bytes = 0;
  for (const nn::Parameter& parameter : network.parameters()) bytes += 4 * bytes_of(parameter.tensor);
  for (const nn::NamedTensor& kept : rule.state()) {
    const auto kernel = std::ranges::find_if(
        kernels, [&](const nn::Tensor& k) { return k.defined() && k.is_same(kept.tensor); });
    int passes = 2;
    if (kernel != kernels.end())
      passes = kernels_learn ? 4 : kernel == kernels.begin() ? 0 : 1;  // the first layer sends nothing down
    bytes += passes * bytes_of(kept.tensor);
  }
  for (const nn::NamedTensor& constant : rule.constants()) bytes += bytes_of(constant.tensor);
  return bytes;
}

}  // namespace

double StepFloor::seconds(const DevicePeak& peak) const {
  return std::max(flops / peak.flops, bytes / peak.bytes);
}

std::string_view StepFloor::bound(const DevicePeak& peak) const {
  return flops / peak.flops >= bytes / peak.bytes ? "flops" : "bytes";
}

StepFloor step_floor(const RunPlan& plan, const tasks::TaskShape& shape) {
  const torch::NoGradGuard no_grad;
  const RunConfig& config = plan.config;
  const auto network = build_on_cpu(config, shape);
  const auto rule = plan.make_rule();
  rule->attach(*network, Key(0));
  const rules::StepWork work = rule->work({.epoch = config.epochs / 2, .epochs = config.epochs});
  const double samples = static_cast<double>(config.batch_size) * (shape.contrastive ? 2 : 1);
  const double number_bytes = config.compute.precision == "bf16" ? 2 : 4;

  const std::vector<nn::Tensor> kernels = error_kernels(*network);
  StepFloor floor{.bytes = state_bytes(*network, *rule, kernels, work.kernels_learn)};
  const std::vector<LayerSizes> sizes = layer_sizes(*network, shape);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const nn::ObservedLayer& layer = *network->layers()[i];
    const int sent_down = i > 0 && kernels[i].defined() ? 1 : 0;
    const int products = 2 + sent_down + work.layer_products;
    // Every output is a sum over one kernel [in, k, k].
    const double multiply_adds = sizes[i].output * static_cast<double>(layer.weight[0].numel());
    floor.flops += products * 2 * samples * multiply_adds;
    floor.bytes += products * samples * (sizes[i].input + sizes[i].output) * number_bytes;
  }
  if (!work.direct_feedback) return floor;
  const double outputs = sizes.back().output;
  for (const nn::HiddenPlace& place : network->hidden_places()) {
    const auto units = static_cast<double>(c10::multiply_integers(place.shape));
    floor.flops += 2 * samples * outputs * units;
    floor.bytes += samples * (outputs + units) * number_bytes;
  }
  return floor;
}

}  // namespace lrid::train
