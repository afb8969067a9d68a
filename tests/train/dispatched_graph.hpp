#pragma once

#include <cstdint>
#include <memory>

#include <lrid/train/device_graph.hpp>

namespace lrid::testing {

/// Imitates a CUDA graph on the processor: records every operation that reaches LibTorch's dispatcher
/// below autograd, with host values as they were and tensors as they are, and does them again. Whatever a
/// step takes from the host, or writes past the dispatcher, is thus stale in a replay, as on a GPU.
/// Operations that wait for a device (item(), nonzero()) cannot be recorded: c10::Error. Unlike CUDA,
/// recording does the work, too; record() takes that back from all tensors that were changed in place.
class DispatchedGraph final : public train::DeviceGraph {
 public:
  DispatchedGraph();
  ~DispatchedGraph() override;
  void record(const std::function<void()>& work) override;
  void replay() override;

  static std::int64_t replays;  ///< of all of them

 private:
  struct Operations;
  std::unique_ptr<Operations> operations_;
};

}  // namespace lrid::testing
