#pragma once

#include <ATen/ops/empty.h>

#include <lrid/data/image.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::tasks {

/// Of a tensor on the host whose values go to `device`: pinned memory for a GPU.
inline torch::TensorOptions room_for(torch::Device device, torch::ScalarType type) {
  return torch::TensorOptions(type).pinned_memory(device.is_cuda());
}

/// Room for images on the host: float32 [N, C, H, W] in channels-last memory.
inline Tensor empty_images(std::int64_t count, const data::ImageShape& shape, torch::Device device) {
  return at::empty({count, shape.channels, shape.height, shape.width}, room_for(device, torch::kFloat32),
                   at::MemoryFormat::ChannelsLast);
}

/// Where a loss begins, reduced precision (bf16) ends: a mean of logarithms needs the digits.
inline Tensor at_least_float32(const Tensor& outputs) {
  return outputs.scalar_type() == torch::kFloat64 ? outputs : outputs.to(torch::kFloat32);
}

}  // namespace lrid::tasks
