#pragma once

#include <cstdint>

#include <torch/types.h>

#include <lrid/core/random.hpp>
#include <lrid/data/window.hpp>

namespace lrid::data {

/// How a GPU makes a preparation's images itself: the host only says which window of which image, by the keys
/// that decide it everywhere, and the GPU, which has the data set in its memory, makes the whole batch. The
/// images are those of the preparation, bit for bit. All threads share one.
class DeviceForm {
 public:
  virtual ~DeviceForm() = default;
  DeviceForm(const DeviceForm&) = delete;
  DeviceForm& operator=(const DeviceForm&) = delete;

  /// Whether `device` can: a GPU for which this program has the kernel, with memory for the data set. Always
  /// the same answer.
  [[nodiscard]] virtual bool fits(torch::Device device) const = 0;
  /// What Preparation::write_training writes.
  [[nodiscard]] virtual Window training_window(std::int64_t image, Key key) const = 0;
  /// What Preparation::write_evaluation writes.
  [[nodiscard]] virtual Window evaluation_window(std::int64_t image) const = 0;
  /// From windows, int32 [N, Window::numbers] on a device that fits: images float32 [N, C, H, W] in
  /// channels-last memory, on the device's current stream. Errors as LibTorch's.
  [[nodiscard]] virtual torch::Tensor make(const torch::Tensor& windows) const = 0;

 protected:
  DeviceForm() = default;
};

}  // namespace lrid::data
