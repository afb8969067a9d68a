#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <torch/types.h>

namespace lrid::train {

/// The stream of a GPU that a network is trained on, one of its own, so that the networks of a cohort are
/// trained at the same time. On the processor there are no streams, and all of this does nothing.
///
/// Only training steps go to it; everything else (batches, trajectory points, files) stays on the device's
/// default stream and is kept in order by Scope and join().
class OwnStream {
 public:
  explicit OwnStream(torch::Device device);

  /// While it lives, work goes to the stream, after what the default stream has been given by now. Lets the
  /// host be some steps ahead of the device, and not more: memory of batches is in use until then.
  class Scope {
   public:
    explicit Scope(OwnStream& stream);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    OwnStream& stream_;
    std::optional<c10::StreamGuard> guard_;
  };
  /// A tensor of the default stream's is read on the stream: its memory may not be used anew before that.
  void reads(const torch::Tensor& tensor) const;
  /// Makes later work on the default stream wait for everything given to the stream so far.
  void join();

 private:
  static constexpr std::size_t steps_ahead = 4;

  std::shared_ptr<const c10::Stream> stream_;  ///< none on the processor
  std::optional<c10::Event> order_;
  std::array<std::optional<c10::Event>, steps_ahead> ends_;  ///< of the last steps, in turn
  std::size_t entered_ = 0;
};

}  // namespace lrid::train
