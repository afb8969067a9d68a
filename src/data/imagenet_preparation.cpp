#include <algorithm>
#include <cmath>
#include <vector>

#include <lrid/core/index.hpp>
#include <lrid/data/imagenet_preparation.hpp>

#include "colour.hpp"
#include "crop_sampler.hpp"
#include "resize.hpp"

namespace lrid::data {

namespace {

/// Side of what resnet and alex-center cut, and of the shorter side that this is meant for.
constexpr std::int64_t crop_side = 224;
constexpr double shorter_side = 256;

constexpr std::array<float, 3> mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};

constexpr CropRange resnet_crops{};
constexpr CropRange inception_crops{0.05F, 1, 0.75F, 1.33F};

/// ⌊224/s⌋ with s = 256/shorter side.
std::int64_t square_side(std::int64_t height, std::int64_t width) {
  const double scale = shorter_side / static_cast<double>(std::min(height, width));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(crop_side) / scale));
}

std::int64_t uniform_below(Stream& random, std::int64_t n) {
  return to_index(random.below(static_cast<std::uint64_t>(n)));
}

}  // namespace

ImagenetPreparation::ImagenetPreparation(std::shared_ptr<const ImageSource> source, Kind kind,
                                         std::int64_t size, bool augment, bool scaled_decode)
    : source_(std::move(source)), kind_(kind), size_(size), augment_(augment), scaled_decode_(scaled_decode) {
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t byte = 0; byte < 256; ++byte)
      normalised_[c][byte] = (static_cast<float>(byte) / 255 - mean[c]) / deviation[c];
}

std::int64_t ImagenetPreparation::crop_size() const {
  return kind_ == Kind::inception ? size_ : crop_side;
}

Region ImagenetPreparation::training_crop(std::int64_t height, std::int64_t width, Stream& random) const {
  if (kind_ == Kind::inception) return sample_crop(height, width, inception_crops, random);
  const std::int64_t shorter = std::min(height, width);
  if (kind_ == Kind::alex_center) {
    const std::int64_t side = square_side(height, width);
    const std::int64_t top = uniform_below(random, shorter - side + 1);
    const std::int64_t left = uniform_below(random, shorter - side + 1);
    return {(height - shorter) / 2 + top, (width - shorter) / 2 + left, side, side};
  }
  const Region crop = sample_crop(height, width, resnet_crops, random);
  if (crop != Region{0, 0, height, width}) return crop;
  const std::int64_t top = uniform_below(random, height - shorter + 1);
  return {top, uniform_below(random, width - shorter + 1), shorter, shorter};
}

Region ImagenetPreparation::evaluation_crop(std::int64_t height, std::int64_t width) const {
  if (kind_ == Kind::inception) {
    const auto margin = [](std::int64_t length) {
      const auto whole = static_cast<double>(length);
      return (whole - whole * 7 / 8) / 2;
    };
    const auto top = static_cast<std::int64_t>(margin(height)),
               left = static_cast<std::int64_t>(margin(width));
    return {top, left, height - 2 * top, width - 2 * left};
  }
  const std::int64_t side = square_side(height, width);
  return {(height - side) / 2, (width - side) / 2, side, side};
}

void ImagenetPreparation::write_training(std::int64_t image, Key key, float* out) const {
  if (!augment_) return write_evaluation(image, out);
  Stream random(key);
  const Image crop = source_->read(
      image, {[&](std::int64_t height, std::int64_t width) { return training_crop(height, width, random); },
              scaled_decode_ ? crop_size() : 0});
  const bool mirror = random.below(2) == 1;
  if (kind_ != Kind::inception) return write_normalised(crop, mirror, out);

  resize_bilinear(crop, size_, size_, mirror, out);
  const std::span<float> pixels(out, to_size(shape().values()));
  for (float& value : pixels) value /= 255;
  add_brightness(pixels, static_cast<float>(random.uniform(-32.0 / 255, 32.0 / 255)));
  scale_saturation(pixels, static_cast<float>(random.uniform(0.5, 1.5)));
  clip_to_unit(pixels);
  for (float& value : pixels) value = 2 * (value - 0.5F);
}

void ImagenetPreparation::write_evaluation(std::int64_t image, float* out) const {
  const Image crop = source_->read(
      image, {[&](std::int64_t height, std::int64_t width) { return evaluation_crop(height, width); },
              scaled_decode_ ? crop_size() : 0});
  if (kind_ != Kind::inception) return write_normalised(crop, false, out);
  resize_bilinear(crop, size_, size_, false, out);
  for (float& value : std::span<float>(out, to_size(shape().values()))) value = 2 * (value / 255 - 0.5F);
}

void ImagenetPreparation::write_normalised(const Image& crop, bool mirror, float* out) const {
  std::vector<float> other_size;
  float* at_crop_side = out;
  if (size_ != crop_side) {
    other_size.resize(to_size(crop_side * crop_side * 3));
    at_crop_side = other_size.data();
  }
  resize_bilinear(crop, crop_side, crop_side, mirror, at_crop_side);
  for (std::int64_t i = 0; i < crop_side * crop_side * 3; i += 3)
    for (std::int64_t c = 0; c < 3; ++c) {
      float& value = at_crop_side[i + c];
      value = normalised_[to_size(c)][static_cast<std::uint8_t>(value)];
    }
  if (size_ != crop_side) resize_bilinear_aligned(at_crop_side, {crop_side, crop_side, 3}, size_, size_, out);
}

}  // namespace lrid::data
