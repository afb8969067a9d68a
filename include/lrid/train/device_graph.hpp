#pragma once

#include <functional>
#include <memory>

#include <c10/core/Device.h>

namespace lrid::train {

/// Device work recorded once and replayed: the same operations on the same memory, with the host values of
/// the recording. One launch instead of hundreds.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;

  /// Records the operations that `work` submits to the current stream, without running them; its allocations
  /// stay. c10::Error if an operation cannot be recorded, such as waiting for the device.
  virtual void record(const std::function<void()>& work) = 0;
  /// Runs the recorded operations on the current stream.
  virtual void replay() = 0;

 protected:
  DeviceGraph() = default;
};

using MakeDeviceGraph = std::function<std::unique_ptr<DeviceGraph>()>;

/// CUDA graphs for CUDA devices; empty for others, and where lrid was built without the CUDA toolkit.
MakeDeviceGraph device_graphs(c10::Device device);
using DeviceGraphs = std::function<MakeDeviceGraph(c10::Device)>;

}  // namespace lrid::train
