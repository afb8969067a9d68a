#pragma once

#include <cstdint>
#include <memory>

#include <lrid/core/random.hpp>
#include <lrid/data/device_form.hpp>
#include <lrid/data/image.hpp>

namespace lrid::data {

/// How an image becomes what a network gets: cutting, augmenting, normalising. Immutable; all threads share
/// one.
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
  /// How a GPU makes the same images itself; null where only the host does.
  [[nodiscard]] virtual const DeviceForm* device_form() const { return nullptr; }

 protected:
  Preparation() = default;
};

}  // namespace lrid::data
