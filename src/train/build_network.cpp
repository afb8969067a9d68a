#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <torch/types.h>

#include <lrid/core/index.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/train/build_network.hpp>

namespace lrid::train {

namespace {

/// Requires that weights, gradients and one moment, the least that any rule needs, fit into memory: Linux
/// grants more than there is and kills the process that then uses it.
void require_memory(const RunConfig& config, nn::NetworkSpec spec) {
  if (config.compute.device != "cpu") return;  // there, an allocation fails
  spec.options = spec.options.device(torch::kMeta);
  const std::unique_ptr<nn::Network> outline = nn::architectures().at(config.architecture).build(spec);
  std::int64_t needed = 0;
  for (const nn::Parameter& parameter : outline->parameters())
    needed += 3 * to_index(parameter.tensor.nbytes());
  if (const std::int64_t there = config.compute.memory(); needed > there)
    throw std::runtime_error(
        fmt::format("out of memory: {} for inputs of {} x {} pixels needs {:.1f} GB for its weights, "
                    "gradients and moments alone, this machine has {:.1f} GB",
                    config.architecture, spec.input.height, spec.input.width,
                    static_cast<double>(needed) / 1e9, static_cast<double>(there) / 1e9));
}

}  // namespace

std::unique_ptr<nn::Network> build_network(const RunConfig& config, const tasks::TaskShape& shape) {
  nn::NetworkSpec spec;
  spec.input = {shape.channels, shape.height, shape.width};
  spec.classes = shape.outputs;
  spec.contrastive_head = shape.contrastive;
  spec.initial_values = Key(static_cast<std::uint64_t>(config.model_seed), "initial values");
  spec.options = torch::TensorOptions(torch::kFloat32).device(config.compute.torch_device());
  spec.channels_last = config.compute.channels_last;
  require_memory(config, spec);
  return nn::architectures().at(config.architecture).build(spec);
}

std::unique_ptr<nn::Network> build_on_cpu(RunConfig config, const tasks::TaskShape& shape) {
  config.compute.device = "cpu";
  return build_network(config, shape);
}

std::unique_ptr<nn::Network> outline_network(const std::string& architecture, const std::string& task) {
  const tasks::TaskShape shape = tasks::tasks().at(task).usual_shape(architecture);
  return nn::architectures()
      .at(architecture)
      .build({.input = {shape.channels, shape.height, shape.width},
              .classes = shape.outputs,
              .contrastive_head = shape.contrastive,
              .options = torch::TensorOptions(torch::kMeta)});
}

}  // namespace lrid::train
