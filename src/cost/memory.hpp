#pragma once

#include <cstdint>

#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// Memory of one network while it trains, in bytes.
struct NetworkBytes {
  std::int64_t parameters = 0;  ///< with gradients, moments, backward kernels and maps, as the rule allocates
  std::int64_t activations = 0;  ///< outputs of all layers for one batch, and what is computed from them
  std::int64_t workspaces = 0;   ///< on a GPU, of cuBLAS and cuBLASLt: each stream has its own
  [[nodiscard]] std::int64_t total() const { return parameters + activations + workspaces; }
};

/// Builds the network once to count (on the CPU, without data).
NetworkBytes network_bytes(const train::RunPlan& plan, const tasks::TaskShape& shape);

}  // namespace lrid::cost
