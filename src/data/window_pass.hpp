// What a CUDA device does to make a batch of windows, so that the host can do the same and tests can hold it
// against what the host writes (tests/tasks/device_images_test.cpp). Plain pointers: nvcc sees no LibTorch.
#pragma once

#include <cstdint>

#include <lrid/core/host_device.hpp>
#include <lrid/data/window.hpp>

namespace lrid::data {

/// A byte as networks see it, in float32, on the host and on devices: a difference and a product, rounded
/// each.
LRID_HOST_DEVICE float normalised(std::uint8_t byte, float offset, float factor) {
  return (static_cast<float>(byte) - offset) * factor;
}

namespace device {

inline constexpr int block_threads = 256;

/// A batch and what it is made from, in the device's memory. An image has fewer than 2³¹ values.
struct WindowBatch {
  const std::uint8_t* bytes;     ///< [images, height, width, channels]
  const float *offset, *factor;  ///< [height, width, channels]
  const Window* windows;         ///< [samples]
  float* out;                    ///< [samples, out_height, out_width, channels]
  std::int64_t samples;
  std::uint32_t height, width, channels, out_height, out_width;
};

LRID_HOST_DEVICE std::uint32_t values_of_window(const WindowBatch& batch) {
  return batch.out_height * batch.out_width * batch.channels;
}

/// A grid has a row of so many blocks for each sample; CUDA allows no more than 65535.
LRID_HOST_DEVICE std::uint32_t blocks_of_window(const WindowBatch& batch) {
  const std::uint32_t blocks = (values_of_window(batch) + block_threads - 1) / block_threads;
  return blocks < 65535 ? blocks : 65535;
}

/// The part of one thread of one block: values of the sample that are a whole row of blocks apart, so that
/// consecutive threads write consecutive floats.
LRID_HOST_DEVICE void write_windows(const WindowBatch& batch, std::int64_t sample, std::uint32_t block,
                                    std::uint32_t thread) {
  const Window window = batch.windows[sample];
  const std::uint32_t values = values_of_window(batch);
  const std::uint8_t* image =
      batch.bytes + std::int64_t{window.image} * batch.height * batch.width * batch.channels;
  float* out = batch.out + sample * values;
  for (std::uint32_t i = block * block_threads + thread; i < values;
       i += blocks_of_window(batch) * block_threads) {
    const std::uint32_t pixel = i / batch.channels, channel = i - pixel * batch.channels;
    const std::uint32_t row = pixel / batch.out_width, column = pixel - row * batch.out_width;
    // Negative places become large ones, outside of the image as those beyond its end.
    const std::uint32_t y = static_cast<std::uint32_t>(window.top) + row;
    const std::uint32_t x =
        static_cast<std::uint32_t>(window.left) + (window.flip != 0 ? batch.out_width - 1 - column : column);
    float value = 0;
    if (y < batch.height && x < batch.width) {
      const std::uint32_t place = (y * batch.width + x) * batch.channels + channel;
      value = normalised(image[place], batch.offset[place], batch.factor[place]);
    }
    out[i] = value;
  }
}

}  // namespace device
}  // namespace lrid::data
