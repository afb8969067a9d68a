#pragma once

#include <cstdint>

#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// What one network takes while it trains, in bytes.
struct NetworkBytes {
  std::int64_t parameters =
      0;  ///< with gradients, moments, backward kernels and maps: as the rule really allocates them
  std::int64_t activations = 0;  ///< outputs of all layers for one batch, and what is made from them
  [[nodiscard]] std::int64_t total() const { return parameters + activations; }
};

/// Builds the network once to count (on the CPU, without data).
NetworkBytes network_bytes(const train::RunPlan& plan, const tasks::TaskShape& shape);

}  // namespace lrid::cost
