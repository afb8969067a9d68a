#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

namespace lrid::train {

/// Streams of GPUs, each lent to one network at a time: what one network records may hold none of another's
/// work. They are made when first needed and never destroyed, since LibTorch may still ask a stream that was
/// given back whether memory is free. For any number of threads; must outlive what it lends.
class StreamPool {
 public:
  using Make = std::function<c10::Stream(c10::Device)>;
  explicit StreamPool(Make make) : make_(std::move(make)) {}

  /// A stream of the device that nobody else has; given back with the last owner.
  [[nodiscard]] std::shared_ptr<const c10::Stream> lend(c10::Device device);

 private:
  Make make_;
  std::mutex mutex_;
  std::map<c10::DeviceIndex, std::vector<c10::Stream>> free_;
};

}  // namespace lrid::train
