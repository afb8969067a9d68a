#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <lrid/data/colour.hpp>

namespace lrid::data {

namespace {

/// Hue in turns [0, 1), saturation, value.
struct Hsv {
  float hue, saturation, value;
};

Hsv to_hsv(float red, float green, float blue) {
  const float value = std::max({red, green, blue});
  const float range = value - std::min({red, green, blue});
  float hue = 0;
  if (range > 0) {
    const float unit = 1 / (6 * range);
    if (value == red)
      hue = unit * (green - blue);
    else if (value == green)
      hue = unit * (blue - red) + 2.0F / 6;
    else
      hue = unit * (red - green) + 4.0F / 6;
    if (hue < 0) hue += 1;
  }
  return {hue, value > 0 ? range / value : 0.0F, value};
}

void from_hsv(const Hsv& hsv, float* rgb) {
  const float chroma = hsv.saturation * hsv.value;
  const float base = hsv.value - chroma;
  const float sixth = hsv.hue * 6;
  const float red = std::clamp(std::abs(sixth - 3) - 1, 0.0F, 1.0F);
  const float green = std::clamp(2 - std::abs(sixth - 2), 0.0F, 1.0F);
  const float blue = std::clamp(2 - std::abs(sixth - 4), 0.0F, 1.0F);
  rgb[0] = base + chroma * red;
  rgb[1] = base + chroma * green;
  rgb[2] = base + chroma * blue;
}

}  // namespace

void add_brightness(std::span<float> pixels, float delta) {
  for (float& value : pixels) value += delta;
}

void scale_contrast(std::span<float> pixels, float factor) {
  std::array<double, 3> sums{};
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) sums[c] += static_cast<double>(pixels[i + c]);
  const std::size_t n = pixels.size() / 3;
  std::array<float, 3> means{};
  for (std::size_t c = 0; c < 3; ++c) means[c] = static_cast<float>(sums[c] / static_cast<double>(n));
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = (pixels[i + c] - means[c]) * factor + means[c];
}

void scale_saturation(std::span<float> pixels, float factor) {
  // With hue and value as they are, all three distances from the value scale alike: by the new saturation
  // over the old one, min(s·factor, 1)/s, and s = (max − min)/max.
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    float* const rgb = &pixels[i];
    const float value = std::max({rgb[0], rgb[1], rgb[2]});
    const float range = value - std::min({rgb[0], rgb[1], rgb[2]});
    const float ratio = value <= 0 ? 0 : factor * range > value ? value / range : factor;
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = value - (value - rgb[c]) * ratio;
  }
}

void turn_hue(std::span<float> pixels, float turns) {
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    Hsv hsv = to_hsv(pixels[i], pixels[i + 1], pixels[i + 2]);
    hsv.hue += turns;
    hsv.hue -= std::floor(hsv.hue);
    from_hsv(hsv, &pixels[i]);
  }
}

void make_grey(std::span<float> pixels) {
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3)
    pixels[i] = pixels[i + 1] = pixels[i + 2] =
        0.2989F * pixels[i] + 0.5870F * pixels[i + 1] + 0.1140F * pixels[i + 2];
}

void clip_to_unit(std::span<float> pixels) {
  for (float& value : pixels) value = std::clamp(value, 0.0F, 1.0F);
}

}  // namespace lrid::data
