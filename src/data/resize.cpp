#include "resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <lrid/core/index.hpp>

namespace lrid::data {

namespace {

/// Linear interpolation weights of an output pixel: its two neighbours, and the second's weight (float32, as
/// TensorFlow).
struct LinearWeights {
  std::int64_t first, second;
  float weight;
};

std::vector<LinearWeights> linear_weights(std::int64_t in, std::int64_t out, float scale) {
  std::vector<LinearWeights> result(to_size(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const float place = static_cast<float>(i) * scale;
    const auto first = std::min(static_cast<std::int64_t>(place), in - 1);
    result[to_size(i)] = {first, std::min(first + 1, in - 1), place - static_cast<float>(first)};
  }
  return result;
}

float plain_scale(std::int64_t in, std::int64_t out) {
  return static_cast<float>(in) / static_cast<float>(out);
}

float aligned_scale(std::int64_t in, std::int64_t out) {
  return out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0F;
}

/// A line of `channels` values a pixel at the places of `columns`. `fixed`: the same number, 0 where it is
/// known only now.
template <std::int64_t fixed, class Value>
void narrow_line(const Value* in, const std::vector<LinearWeights>& columns, std::int64_t channels,
                 float* out) {
  const std::int64_t n = fixed > 0 ? fixed : channels;
  for (const LinearWeights& column : columns) {
    const Value* left = in + column.first * n;
    const Value* right = in + column.second * n;
    for (std::int64_t c = 0; c < n; ++c) {
      const auto value = static_cast<float>(left[c]);
      *out++ = value + (static_cast<float>(right[c]) - value) * column.weight;
    }
  }
}

template <class Value>
void bilinear(const Value* in, const ImageShape& shape, const std::vector<LinearWeights>& rows,
              const std::vector<LinearWeights>& columns, float* out) {
  const auto line = to_index(columns.size()) * shape.channels;
  // The two input rows last used, already at the output's columns: when an image is enlarged, or hardly
  // reduced, most rows serve again.
  std::array<std::vector<float>, 2> lines;
  std::array<std::int64_t, 2> held{-1, -1};
  for (std::vector<float>& one : lines) one.resize(to_size(line));
  const auto fetch = [&](std::int64_t row, std::size_t avoid) {
    for (std::size_t slot = 0; slot < 2; ++slot)
      if (held[slot] == row) return slot;
    const std::size_t slot = 1 - avoid;
    const Value* from = in + row * shape.width * shape.channels;
    if (shape.channels == 3)
      narrow_line<3>(from, columns, 3, lines[slot].data());
    else
      narrow_line<0>(from, columns, shape.channels, lines[slot].data());
    held[slot] = row;
    return slot;
  };
  for (const LinearWeights& row : rows) {
    // The second row may be held already: the first must not take its place.
    const std::size_t top_slot = fetch(row.first, held[0] == row.second ? 0 : 1);
    const std::size_t bottom_slot = fetch(row.second, top_slot);
    const float* top = lines[top_slot].data();
    const float* bottom = lines[bottom_slot].data();
    for (std::int64_t i = 0; i < line; ++i) out[i] = top[i] + (bottom[i] - top[i]) * row.weight;
    out += line;
  }
}

/// Cubic interpolation weights of an output pixel: its four neighbours and their weights.
struct CubicWeights {
  std::array<std::int64_t, 4> places;
  std::array<float, 4> weights;
};

/// Keys' cubic kernel with A = −0.75, at a distance up to 1 and from 1 to 2.
double near_weight(double x) {
  return ((1.25 * x) - 2.25) * x * x + 1;
}
double far_weight(double x) {
  return ((-0.75 * x + 3.75) * x - 6) * x + 3;
}

std::vector<CubicWeights> cubic_weights(std::int64_t in, std::int64_t out) {
  constexpr double steps = 1024;  // TensorFlow takes weights from a table
  const float scale = plain_scale(in, out);
  std::vector<CubicWeights> result(to_size(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const float place = static_cast<float>(i) * scale;
    const auto base = static_cast<std::int64_t>(place);
    const double x = std::nearbyint(static_cast<double>(place - static_cast<float>(base)) * steps) / steps;
    CubicWeights& pixel_weights = result[to_size(i)];
    const std::array<double, 4> weights{far_weight(1 + x), near_weight(x), near_weight(1 - x),
                                        far_weight(2 - x)};
    for (std::size_t tap = 0; tap < 4; ++tap) {
      pixel_weights.places[tap] = std::clamp<std::int64_t>(base - 1 + to_index(tap), 0, in - 1);
      pixel_weights.weights[tap] = static_cast<float>(weights[tap]);
    }
  }
  return result;
}

}  // namespace

void resize_bilinear(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out) {
  const ImageShape& shape = image.shape;
  std::vector<LinearWeights> columns = linear_weights(shape.width, width, plain_scale(shape.width, width));
  if (mirror) std::ranges::reverse(columns);
  bilinear(image.bytes.data(), shape, linear_weights(shape.height, height, plain_scale(shape.height, height)),
           columns, out);
}

void resize_bilinear_aligned(const float* in, const ImageShape& shape, std::int64_t height,
                             std::int64_t width, float* out) {
  bilinear(in, shape, linear_weights(shape.height, height, aligned_scale(shape.height, height)),
           linear_weights(shape.width, width, aligned_scale(shape.width, width)), out);
}

void resize_bicubic(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out) {
  const ImageShape& shape = image.shape;
  const std::int64_t channels = shape.channels, line = shape.width * channels;
  std::vector<CubicWeights> columns = cubic_weights(shape.width, width);
  if (mirror) std::ranges::reverse(columns);
  for (CubicWeights& column : columns)
    for (std::int64_t& place : column.places) place *= channels;
  std::vector<float> mixed(to_size(line));
  for (const CubicWeights& row : cubic_weights(shape.height, height)) {
    std::array<const std::uint8_t*, 4> in{};
    for (std::size_t tap = 0; tap < 4; ++tap) in[tap] = image.bytes.data() + row.places[tap] * line;
    for (std::int64_t i = 0; i < line; ++i)
      mixed[to_size(i)] =
          row.weights[0] * static_cast<float>(in[0][i]) + row.weights[1] * static_cast<float>(in[1][i]) +
          row.weights[2] * static_cast<float>(in[2][i]) + row.weights[3] * static_cast<float>(in[3][i]);
    for (const CubicWeights& column : columns)
      for (std::int64_t c = 0; c < channels; ++c) {
        const float* pixel = mixed.data() + c;
        *out++ = column.weights[0] * pixel[column.places[0]] + column.weights[1] * pixel[column.places[1]] +
                 column.weights[2] * pixel[column.places[2]] + column.weights[3] * pixel[column.places[3]];
      }
  }
}

}  // namespace lrid::data
