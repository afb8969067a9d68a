#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <lrid/core/index.hpp>
#include <lrid/data/contrastive_views.hpp>

#include "colour.hpp"
#include "crop_sampler.hpp"
#include "resize.hpp"

namespace lrid::data {

namespace {

constexpr double kept_in_centre = 0.875;
constexpr std::int64_t small_image = 32;

/// Bicubic, onto [0, 1] (which it may overshoot).
void resize_to_unit(const Image& image, std::int64_t size, bool mirror, std::span<float> out) {
  resize_bicubic(image, size, size, mirror, out.data());
  for (float& value : out) value /= 255;
}

void jitter(std::span<float> pixels, double strength, Stream& random) {
  const double most = 0.8 * strength;
  const auto amount = [&](double low, double high) { return static_cast<float>(random.uniform(low, high)); };
  std::array<int, 4> order{0, 1, 2, 3};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const int change : order) {
    switch (change) {
      case 0:
        add_brightness(pixels, amount(-most, most));
        break;
      case 1:
        scale_contrast(pixels, amount(1 - most, 1 + most));
        break;
      case 2:
        scale_saturation(pixels, amount(1 - most, 1 + most));
        break;
      default:
        turn_hue(pixels, amount(-0.2 * strength, 0.2 * strength));
        break;
    }
    clip_to_unit(pixels);
  }
}

}  // namespace

void ViewOptions::declare(Options& options) {
  options.add("augmentation.jitter", jitter, Accepts::between(0, 1), "strength of the change of colours");
  options.add("augmentation.blur", blur, Accepts::anything(), "blur half of the views");
}

double ContrastiveViews::sigma(Key key) const {
  return options_.blur ? Stream(key).uniform(0.1, 2.0) : 0.0;
}

void ContrastiveViews::write_view(std::int64_t image, Key key, double sigma, float* out) const {
  Stream random(key);
  const Image crop = source_->read(image, {[&](std::int64_t height, std::int64_t width) {
                                     return sample_crop(height, width, {}, random);
                                   }});
  const std::span<float> pixels(out, to_size(shape().values()));
  resize_to_unit(crop, size_, random.below(2) == 1, pixels);
  if (random.uniform() < 0.8) jitter(pixels, options_.jitter, random);
  if (random.uniform() < 0.2) make_grey(pixels);
  clip_to_unit(pixels);
  if (sigma > 0 && random.below(2) == 1) gaussian_blur(out, size_, size_, sigma);
}

void ContrastiveViews::write_centre(std::int64_t image, float* out) const {
  const auto centre = [&](std::int64_t height, std::int64_t width) {
    std::int64_t side = std::min(height, width);
    if (size_ > small_image)
      side = std::max<std::int64_t>(1, std::lrint(kept_in_centre * static_cast<double>(side)));
    return Region{(height - side + 1) / 2, (width - side + 1) / 2, side, side};
  };
  const std::span<float> pixels(out, to_size(shape().values()));
  resize_to_unit(source_->read(image, {centre}), size_, false, pixels);
  clip_to_unit(pixels);
}

void gaussian_blur(float* pixels, std::int64_t height, std::int64_t width, double sigma) {
  const std::int64_t reach = height / 10 / 2;
  std::vector<float> taps;
  double sum = 0;
  for (std::int64_t x = -reach; x <= reach; ++x)
    sum += std::exp(-static_cast<double>(x * x) / (2 * sigma * sigma));
  for (std::int64_t x = -reach; x <= reach; ++x)
    taps.push_back(static_cast<float>(std::exp(-static_cast<double>(x * x) / (2 * sigma * sigma)) / sum));

  const std::int64_t line = 3 * width;
  // Along rows: zeros on both sides of a copy, so that every tap finds something.
  std::vector<float> padded(to_size(line + 6 * reach), 0.0F);
  std::vector<float> rows(to_size(height * line));
  for (std::int64_t y = 0; y < height; ++y) {
    std::copy_n(pixels + y * line, line, padded.begin() + 3 * reach);
    float* out = rows.data() + y * line;
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      const float* in = padded.data() + 3 * tap;
      for (std::int64_t i = 0; i < line; ++i) out[i] += taps[tap] * in[i];
    }
  }
  std::fill_n(pixels, height * line, 0.0F);
  for (std::int64_t y = 0; y < height; ++y) {
    float* out = pixels + y * line;
    for (std::int64_t x = std::max(-reach, -y); x <= std::min(reach, height - 1 - y); ++x) {
      const float tap = taps[to_size(x + reach)];
      const float* in = rows.data() + (y + x) * line;
      for (std::int64_t i = 0; i < line; ++i) out[i] += tap * in[i];
    }
  }
  clip_to_unit({pixels, to_size(height * line)});
}

}  // namespace lrid::data
