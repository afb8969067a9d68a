#pragma once

#include <functional>
#include <memory>

#include <c10/core/Device.h>

namespace lrid::train {

/// Device work that was recorded once and can be replayed: the same operations on the same memory, with host
/// values as they were. One launch in place of hundreds.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;

  /// Records what `work` gives to the current stream, without doing it. What it allocates stays allocated.
  /// c10::Error if something in it cannot be recorded, waiting for the device above all.
  virtual void record(const std::function<void()>& work) = 0;
  /// Does it, on the current stream.
  virtual void replay() = 0;

 protected:
  DeviceGraph() = default;
};

using MakeDeviceGraph = std::function<std::unique_ptr<DeviceGraph>()>;

/// CUDA graphs for CUDA devices; empty for others, and where lrid was built without the CUDA toolkit.
MakeDeviceGraph device_graphs(c10::Device device);
using DeviceGraphs = std::function<MakeDeviceGraph(c10::Device)>;

}  // namespace lrid::train
