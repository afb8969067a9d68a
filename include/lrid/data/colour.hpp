#pragma once

#include <span>

namespace lrid::data {

/// TensorFlow 1.x's adjustments of colour, on interleaved RGB floats in [0, 1], in place.

void add_brightness(std::span<float> pixels, float delta);
/// (x − m)·factor + m with m the channel's mean over the image.
void scale_contrast(std::span<float> pixels, float factor);
/// The factor acts on S of HSV, which is cut to [0, 1].
void scale_saturation(std::span<float> pixels, float factor);
/// Adds `turns` to H of HSV.
void turn_hue(std::span<float> pixels, float turns);
/// 0.2989 R + 0.5870 G + 0.1140 B in all three channels.
void make_grey(std::span<float> pixels);
void clip_to_unit(std::span<float> pixels);

}  // namespace lrid::data
