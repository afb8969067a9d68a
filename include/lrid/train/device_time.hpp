#pragma once

#include <string>

namespace lrid::train {

/// Time that a network has had a device for itself: on a processor, seconds times cores; on a GPU that
/// several networks use, its share of the seconds.
struct DeviceTime {
  double seconds = 0;
  bool gpu = false;

  [[nodiscard]] std::string unit() const { return gpu ? "GPU" : "processor"; }
};

}  // namespace lrid::train
