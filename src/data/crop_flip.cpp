#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/data/crop_flip.hpp>

#include "window_pass.hpp"

namespace lrid::data {

namespace {

ImageShape cropped(ImageShape shape, const CropFlipOptions& options) {
  if (options.crop) {
    if (*options.crop > std::min(shape.height, shape.width))
      bad_input("augmentation.crop = {}: images are {} × {} pixels, expected at most the shorter side",
                *options.crop, shape.height, shape.width);
    shape.height = shape.width = *options.crop;
  }
  return shape;
}

Window window_of(std::int64_t image, const CropFlipChoice& choice) {
  const auto number = [](std::int64_t n) { return static_cast<std::int32_t>(n); };
  return {number(image), number(choice.top), number(choice.left), choice.flip ? 1 : 0};
}

}  // namespace

CropFlip::CropFlip(std::shared_ptr<const ImageDataset> data, Normalization normalization,
                   const CropFlipOptions& options)
    : data_(std::move(data)),
      normalization_(std::move(normalization)),
      options_(options),
      shape_(cropped(data_->shape(), options)),
      centre_{(data_->shape().height - shape_.height) / 2, (data_->shape().width - shape_.width) / 2, false},
      device_images_(data_, normalization_, shape_) {}

CropFlipChoice CropFlip::choose(Key key) const {
  Stream random(key);
  const auto start = [&](std::int64_t size, std::int64_t window) {
    const auto places = static_cast<std::uint64_t>(size + 2 * options_.pad - window + 1);
    return to_index(random.below(places)) - options_.pad;
  };
  CropFlipChoice choice;
  choice.top = start(data_->shape().height, shape_.height);
  choice.left = start(data_->shape().width, shape_.width);
  choice.flip = options_.flip && random.below(2) == 1;
  return choice;
}

void CropFlip::write_training(std::int64_t image, Key key, float* out) const {
  write(image, training_choice(key), out);
}

void CropFlip::write_evaluation(std::int64_t image, float* out) const {
  write(image, centre_, out);
}

Window CropFlip::training_window(std::int64_t image, Key key) const {
  return window_of(image, training_choice(key));
}

Window CropFlip::evaluation_window(std::int64_t image) const {
  return window_of(image, centre_);
}

void CropFlip::write(std::int64_t image, const CropFlipChoice& choice, float* out) const {
  const auto [height, width, channels] = data_->shape();
  const std::uint8_t* bytes = data_->images[to_size(image)].bytes.data();
  // Columns [first, last) of the window lie inside the image.
  const std::int64_t first = std::clamp<std::int64_t>(-choice.left, 0, shape_.width);
  const std::int64_t last = std::clamp(width - choice.left, first, shape_.width);
  const std::int64_t line = shape_.width * channels;
  for (std::int64_t row = 0; row < shape_.height; ++row, out += line) {
    const std::int64_t y = choice.top + row;
    if (y < 0 || y >= height || first == last) {
      std::fill(out, out + line, 0.0F);
      continue;
    }
    std::fill(out, out + first * channels, 0.0F);
    std::fill(out + last * channels, out + line, 0.0F);
    const std::int64_t place = (y * width + choice.left + first) * channels;
    const std::uint8_t* in = bytes + place;
    const float* offset = normalization_.offset.data() + place;
    const float* factor = normalization_.factor.data() + place;
    float* inside = out + first * channels;
    for (std::int64_t i = 0; i < (last - first) * channels; ++i)
      inside[i] = normalised(in[i], offset[i], factor[i]);
    if (choice.flip)
      for (std::int64_t left = 0, right = shape_.width - 1; left < right; ++left, --right)
        std::swap_ranges(out + left * channels, out + (left + 1) * channels, out + right * channels);
  }
}

}  // namespace lrid::data
