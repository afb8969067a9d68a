#include <lrid/train/stream_pool.hpp>

namespace lrid::train {

std::shared_ptr<const c10::Stream> StreamPool::lend(c10::Device device) {
  const std::lock_guard lock(mutex_);
  std::vector<c10::Stream>& free = free_[device.index()];
  if (free.empty()) free.push_back(make_(device));
  const c10::Stream stream = free.back();
  free.pop_back();
  return {new c10::Stream(stream), [this](const c10::Stream* given_back) {
            const std::lock_guard here(mutex_);
            free_[given_back->device_index()].push_back(*given_back);
            delete given_back;
          }};
}

}  // namespace lrid::train
