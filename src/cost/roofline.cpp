#include <algorithm>

#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/cost/roofline.hpp>
#include <lrid/train/build_network.hpp>

namespace lrid::cost {

namespace {

double bytes_of(const nn::Tensor& tensor) {
  return static_cast<double>(tensor.nbytes());
}

/// Numbers of one sample that go into a layer and come out of it, and what a product of the two takes.
struct LayerSizes {
  double input = 0, output = 0, multiply_adds = 0;
};

/// Along one axis of a convolution: the pairs of output and kernel element that meet the image, not padding.
double pairs_inside(const nn::LayerSpec& spec, std::int64_t size) {
  const nn::Pads pads = nn::pads(spec.padding, size, spec.kernel, spec.stride);
  std::int64_t pairs = 0;
  for (std::int64_t output = 0; output < pads.output; ++output) {
    const std::int64_t first = output * spec.stride - pads.before;
    pairs +=
        std::max<std::int64_t>(0, std::min(first + spec.kernel, size) - std::max<std::int64_t>(first, 0));
  }
  return static_cast<double>(pairs);
}

double multiply_adds(const nn::LayerSpec& spec, at::IntArrayRef input) {
  const double channels = static_cast<double>(spec.in) * static_cast<double>(spec.out);
  if (spec.kind == nn::LayerKind::fc) return channels;
  return channels * pairs_inside(spec, input[2]) * pairs_inside(spec, input[3]);
}

std::vector<LayerSizes> layer_sizes(nn::Network& network, const tasks::TaskShape& shape) {
  std::vector<LayerSizes> sizes;
  network.set_training(false);
  network.set_sink([&](std::size_t index, const nn::Tensor& input, const nn::Tensor& output) {
    sizes.push_back({static_cast<double>(input.numel()), static_cast<double>(output.numel()),
                     multiply_adds(network.layers()[index]->spec(), input.sizes())});
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

double StepRoofline::seconds(const DevicePeak& peak) const {
  return std::max(flops / peak.flops, bytes / peak.bytes);
}

std::string_view StepRoofline::bound(const DevicePeak& peak) const {
  return flops / peak.flops >= bytes / peak.bytes ? "flops" : "bytes";
}

StepRoofline step_roofline(const train::RunPlan& plan, const tasks::TaskShape& shape) {
  const torch::NoGradGuard no_grad;
  const train::RunConfig& config = plan.config;
  const auto network = train::build_on_cpu(config, shape);
  const auto rule = plan.make_rule();
  rule->attach(*network, Key(0));
  const rules::StepWork work = rule->work({.epoch = config.epochs / 2, .epochs = config.epochs});
  const double samples = static_cast<double>(config.batch_size) * (shape.contrastive ? 2 : 1);
  const double number_bytes = config.compute.precision == "bf16" ? 2 : 4;

  const std::vector<nn::Tensor> kernels = error_kernels(*network);
  StepRoofline roofline{.bytes = state_bytes(*network, *rule, kernels, work.kernels_learn)};
  const std::vector<LayerSizes> sizes = layer_sizes(*network, shape);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const int sent_down = i > 0 && kernels[i].defined() ? 1 : 0;
    const int products = 2 + sent_down + work.layer_products;
    roofline.flops += products * 2 * samples * sizes[i].multiply_adds;
    roofline.bytes += products * samples * (sizes[i].input + sizes[i].output) * number_bytes;
  }
  if (!work.direct_feedback) return roofline;
  const double outputs = sizes.back().output;
  for (const nn::HiddenPlace& place : network->hidden_places()) {
    const auto units = static_cast<double>(c10::multiply_integers(place.shape));
    roofline.flops += 2 * samples * outputs * units;
    roofline.bytes += samples * (outputs + units) * number_bytes;
  }
  return roofline;
}

}  // namespace lrid::cost
