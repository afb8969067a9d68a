#include <algorithm>
#include <cstring>
#include <limits>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <lrid/core/index.hpp>
#include <lrid/data/device_images.hpp>

#include "window_kernel.hpp"

namespace lrid::data {

namespace {

/// The data set's share of a GPU's memory, at most: the rest is for networks.
constexpr std::int64_t memory_share = 4;

torch::Tensor copy_of(const std::vector<float>& values, const ImageShape& shape, torch::Device device) {
  // from_blob asks for memory that may be written to; nothing writes here.
  return at::from_blob(const_cast<float*>(values.data()), {shape.height, shape.width, shape.channels},
                       torch::kFloat32)
      .to(device);
}

/// Through a part of it at a time, so that the host need not hold the whole data set twice.
torch::Tensor copy_of(const std::vector<Image>& images, torch::Device device) {
  const ImageShape& shape = images.front().shape;
  const std::int64_t count = std::ssize(images), values = shape.values();
  const std::int64_t part = std::clamp<std::int64_t>((64LL << 20) / values, 1, count);
  const torch::Tensor host = at::empty({part, shape.height, shape.width, shape.channels}, torch::kUInt8);
  torch::Tensor copy =
      at::empty({count, shape.height, shape.width, shape.channels}, host.options().device(device));
  for (std::int64_t begin = 0; begin < count; begin += part) {
    const std::int64_t size = std::min(part, count - begin);
    for (std::int64_t i = 0; i < size; ++i)
      std::memcpy(host.mutable_data_ptr<std::uint8_t>() + i * values, images[to_size(begin + i)].bytes.data(),
                  to_size(values));
    copy.narrow(0, begin, size).copy_(host.narrow(0, 0, size));  // waits
  }
  return copy;
}

}  // namespace

DeviceImages::DeviceImages(std::shared_ptr<const ImageDataset> data, Normalization normalization,
                           ImageShape window)
    : data_(std::move(data)), normalization_(std::move(normalization)), window_(window) {}

bool DeviceImages::fit(torch::Device device) const {
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  const std::int64_t count = std::ssize(data_->images), values = data_->shape().values();
  if (!device.is_cuda() || !device::has_window_kernel() || count > limit || values > limit) return false;
  const std::lock_guard lock(mutex_);
  const auto [known, is_new] = fit_.try_emplace(device.index());
  if (is_new) {
    const c10::DeviceIndex index =
        device.has_index() ? device.index() : c10::impl::VirtualGuardImpl(torch::kCUDA).getDevice().index();
    const auto total =
        static_cast<std::int64_t>(c10::getDeviceAllocator(torch::kCUDA)->getMemoryInfo(index).second);
    known->second = count * values <= total / memory_share;
  }
  return known->second;
}

const DeviceImages::Copy& DeviceImages::copy_on(torch::Device device) const {
  const std::lock_guard lock(mutex_);
  const auto found = copies_.find(device.index());
  if (found != copies_.end()) return found->second;
  Copy copy{copy_of(data_->images, device), copy_of(normalization_.offset, data_->shape(), device),
            copy_of(normalization_.factor, data_->shape(), device)};
  return copies_.emplace(device.index(), std::move(copy)).first->second;
}

torch::Tensor DeviceImages::make(const torch::Tensor& windows) const {
  const torch::Device device = windows.device();
  const c10::DeviceGuard guard(device);
  const Copy& copy = copy_on(device);
  const ImageShape& image = data_->shape();
  torch::Tensor out =
      at::empty({windows.size(0), image.channels, window_.height, window_.width},
                torch::TensorOptions(torch::kFloat32).device(device), at::MemoryFormat::ChannelsLast);
  const auto size = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
  const device::WindowBatch batch{copy.bytes.const_data_ptr<std::uint8_t>(),
                                  copy.offset.const_data_ptr<float>(),
                                  copy.factor.const_data_ptr<float>(),
                                  static_cast<const Window*>(windows.const_data_ptr()),
                                  out.mutable_data_ptr<float>(),
                                  windows.size(0),
                                  size(image.height),
                                  size(image.width),
                                  size(image.channels),
                                  size(window_.height),
                                  size(window_.width)};
  const c10::Stream stream = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  const device::LaunchError error = device::launch_windows(batch, device.index(), stream.native_handle());
  if (error.code != 0)
    throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, error.code,
                                c10::str("images on ", device, ": a launch failed (", error.text, ")"));
  return out;
}

}  // namespace lrid::data
