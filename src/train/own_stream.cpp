#include <c10/core/impl/VirtualGuardImpl.h>

#include <lrid/train/own_stream.hpp>
#include <lrid/train/stream_pool.hpp>

#include "device_stream.hpp"

namespace lrid::train {

namespace {

/// Never destroyed: networks may outlive static objects.
StreamPool& streams() {
  static auto* const pool = new StreamPool(make_device_stream);
  return *pool;
}

}  // namespace

OwnStream::OwnStream(torch::Device device) {
  if (device.is_cpu()) return;
  stream_ = streams().lend(device);
  order_.emplace(device.type());
  for (auto& end : ends_) end.emplace(device.type());
}

OwnStream::Scope::Scope(OwnStream& stream) : stream_(stream) {
  if (!stream_.stream_) return;
  const c10::Stream own = *stream_.stream_;
  stream_.ends_[stream_.entered_ % steps_ahead]->synchronize();  // nothing to wait for if never recorded
  stream_.order_->record(c10::impl::VirtualGuardImpl(own.device_type()).getStream(own.device()));
  stream_.order_->block(own);
  guard_.emplace(own);
}

OwnStream::Scope::~Scope() {
  if (!stream_.stream_) return;
  guard_.reset();
  try {
    stream_.ends_[stream_.entered_++ % steps_ahead]->record(*stream_.stream_);
  } catch (const c10::Error&) {  // NOLINT(bugprone-empty-catch)
    // The device has failed; the next call to it says so.
  }
}

void OwnStream::reads(const torch::Tensor& tensor) const {
  if (stream_ && tensor.defined()) tensor.record_stream(*stream_);
}

void OwnStream::join() {
  if (!stream_) return;
  order_->record(*stream_);
  order_->block(c10::impl::VirtualGuardImpl(stream_->device_type()).getStream(stream_->device()));
}

}  // namespace lrid::train
