#pragma once

#include <functional>
#include <memory>
#include <string>

#include <lrid/core/options.hpp>
#include <lrid/core/registry.hpp>
#include <lrid/nn/network.hpp>

namespace lrid::nn {

/// Inputs, outputs and placement of a network to build.
struct NetworkSpec {
  InputShape input{};
  std::int64_t classes = 10;      ///< outputs of the classifier layer
  bool contrastive_head = false;  ///< in place of the classifier layer (architectures.md, "SimCLR heads")
  Key initial_values{0};
  torch::TensorOptions options = torch::kFloat32;  ///< type and device; the device "meta" gives shapes only
  bool channels_last = true;  ///< memory layout of convolutions; no effect on values' meaning

  /// `options` with the memory format of kernels.
  [[nodiscard]] torch::TensorOptions kernel_options() const {
    return options.memory_format(channels_last ? torch::MemoryFormat::ChannelsLast
                                               : torch::MemoryFormat::Contiguous);
  }
};

/// One architecture of the registry.
struct Architecture {
  std::string name, summary;
  double base_learning_rate;  ///< for SGD at batch 256
  double weight_decay;
  /// InputError where the input is too small or otherwise makes no sense for it.
  std::function<std::unique_ptr<Network>(const NetworkSpec&)> build;
};

const Registry<Architecture>& architectures();

}  // namespace lrid::nn
