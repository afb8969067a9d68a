#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <lrid/tasks/task.hpp>
#include <lrid/train/device_graph.hpp>

namespace lrid::train {

/// Runs the device's part of training steps: the first ones directly, so that libraries can set up and choose
/// their algorithms; then records a step, once for each form and shape of batch, and replays it. The numbers
/// are the same. Quantities that change from step to step must lie in device memory, as learning rules and
/// networks keep it; batches are copied to where the recorded step reads them.
class StepReplay {
 public:
  using Step = std::function<void(const tasks::Batch&)>;

  /// An empty `make_graph`: all steps as they are.
  explicit StepReplay(MakeDeviceGraph make_graph) : make_graph_(std::move(make_graph)) {}

  /// One step of the given form (LearningRule::step_form) on a batch, on the current stream. `step` may be
  /// called on another batch of the same shape. Should it prove impossible to record, all steps are done as
  /// they are from then on, after `clean` has taken away what the attempt left on the host.
  void run(std::uint64_t form, const tasks::Batch& batch, const Step& step,
           const std::function<void()>& clean);

  /// Whether steps are to be recorded, so that what differs between them must lie in device memory.
  [[nodiscard]] bool records() const { return make_graph_ != nullptr; }

 private:
  struct Recording {
    std::uint64_t form;
    tasks::Batch batch;  ///< what the recorded step reads
    int steps = 0;       ///< done as they are so far
    std::unique_ptr<DeviceGraph> graph;
  };
  [[nodiscard]] Recording* find(std::uint64_t form, const tasks::Batch& batch);

  MakeDeviceGraph make_graph_;
  std::vector<Recording> recordings_;
};

}  // namespace lrid::train
