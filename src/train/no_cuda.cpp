// In place of cuda_graph.cpp where there is no CUDA toolkit.
#include <c10/core/impl/VirtualGuardImpl.h>

#include <lrid/train/device_graph.hpp>

#include "device_stream.hpp"

namespace lrid::train {

MakeDeviceGraph device_graphs(c10::Device) {
  return {};
}

c10::Stream make_device_stream(c10::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

}  // namespace lrid::train
