#include "memory.hpp"

#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/core/index.hpp>
#include <lrid/train/build_network.hpp>

namespace lrid::cost {

NetworkBytes network_bytes(const train::RunPlan& plan, const tasks::TaskShape& shape) {
  const auto network = train::build_on_cpu(plan.config, shape);
  const auto rule = plan.make_rule();
  rule->attach(*network, Key(0));

  NetworkBytes bytes;
  // Each parameter has a gradient.
  for (const nn::Parameter& parameter : network->parameters())
    bytes.parameters += 2 * to_index(parameter.tensor.nbytes());
  for (const auto& tensors : {rule->state(), rule->constants()})
    for (const nn::NamedTensor& tensor : tensors) bytes.parameters += to_index(tensor.tensor.nbytes());

  // For one sample, each layer's output, what normalisation and pooling make of it, and the errors of both.
  constexpr std::int64_t copies = 4;
  std::int64_t outputs = 0;
  network->set_training(false);
  network->set_sink([&](std::size_t, const nn::Tensor&, const nn::Tensor& output) {
    outputs += to_index(output.nbytes());
  });
  const torch::NoGradGuard no_grad;
  network->forward(torch::zeros({1, shape.channels, shape.height, shape.width}));
  bytes.activations = copies * outputs * plan.config.batch_size * (shape.contrastive ? 2 : 1);
  // What LibTorch gives them on Hopper; less on older GPUs.
  constexpr std::int64_t workspace = 32 << 20;
  if (plan.config.compute.device == "cuda") bytes.workspaces = 2 * workspace;
  return bytes;
}

}  // namespace lrid::cost
