#pragma once

#include <map>
#include <memory>
#include <mutex>

#include <torch/types.h>

#include <lrid/data/image_dataset.hpp>
#include <lrid/data/normalization.hpp>

namespace lrid::data {

/// A data set in the memory of GPUs, as bytes, with its normalisation: copied to each of them when it is
/// first used there, and kept, once for all batches of a process. Threads may share it; one kernel makes a
/// batch (src/data/window_pass.hpp).
class DeviceImages {
 public:
  /// `window`: height and width of what is cut out of the images.
  DeviceImages(std::shared_ptr<const ImageDataset> data, Normalization normalization, ImageShape window);

  /// Whether the device is a GPU for which there is a kernel, and the bytes take at most a quarter of its
  /// memory; data sets that are larger stay on the host. Always the same answer.
  [[nodiscard]] bool fit(torch::Device device) const;
  /// windows: int32 [N, Window::numbers] on a GPU. Returns float32 [N, C, H, W] in channels-last memory,
  /// written on the current stream; waits for nothing but the first copy. c10::AcceleratorError where the
  /// launch fails, c10::OutOfMemoryError.
  [[nodiscard]] torch::Tensor make(const torch::Tensor& windows) const;

 private:
  /// uint8 [images, H, W, C]; float32 [H, W, C].
  struct Copy {
    torch::Tensor bytes, offset, factor;
  };
  [[nodiscard]] const Copy& copy_on(torch::Device device) const;

  std::shared_ptr<const ImageDataset> data_;
  Normalization normalization_;
  ImageShape window_;
  mutable std::mutex mutex_;
  mutable std::map<c10::DeviceIndex, bool> fit_;
  mutable std::map<c10::DeviceIndex, Copy> copies_;
};

}  // namespace lrid::data
