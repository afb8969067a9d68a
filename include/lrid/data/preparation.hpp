#pragma once

#include <cstdint>
#include <memory>

#include <lrid/core/random.hpp>
#include <lrid/data/device_form.hpp>
#include <lrid/data/image.hpp>

namespace lrid::data {

/// Turns an image into a network's input: cuts, augments, normalises. Immutable; threads may share one.
class Preparation {
 public:
  virtual ~Preparation() = default;
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  [[nodiscard]] virtual ImageShape shape() const = 0;
  /// Writes image number `image` as it is trained on: shape().values() floats, [height, width, channels].
  /// `key` decides every random choice.
  virtual void write_training(std::int64_t image, Key key, float* out) const = 0;
  /// The same without anything random.
  virtual void write_evaluation(std::int64_t image, float* out) const = 0;
  /// Makes the same images on a GPU; null if only the host can.
  [[nodiscard]] virtual const DeviceForm* device_form() const { return nullptr; }

 protected:
  Preparation() = default;
};

}  // namespace lrid::data
