#pragma once

#include <lrid/data/image.hpp>

namespace lrid::data {

/// TensorFlow 1.x's resizing (tf.image.resize_images with align_corners off): output pixel i of a line takes
/// from the place i·(in/out) of the input, without half-pixel offset, and without regard for how many input
/// pixels fall between two output pixels. `out` gets [height, width, channels] floats on the image's scale,
/// mirrored left to right where asked.

/// From the two nearest pixels in each direction.
void resize_bilinear(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out);
/// From the four nearest in each direction, by the cubic kernel with A = −0.75 at steps of 1/1024 of a pixel.
/// Values may leave the input's range.
void resize_bicubic(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out);
/// Bilinear, of floats [shape], with align_corners on: places i·(in − 1)/(out − 1).
void resize_bilinear_aligned(const float* in, const ImageShape& shape, std::int64_t height,
                             std::int64_t width, float* out);

}  // namespace lrid::data
