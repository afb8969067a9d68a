#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <lrid/data/resize.hpp>

namespace lrid::data {

namespace {

/// The two pixels that an output pixel lies between, and how far from the first (float32, as TensorFlow).
struct Between {
  std::int64_t first, second;
  float share;
};

std::vector<Between> betweens(std::int64_t in, std::int64_t out, float scale) {
  std::vector<Between> result(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const float place = static_cast<float>(i) * scale;
    const auto first = std::min(static_cast<std::int64_t>(place), in - 1);
    result[static_cast<std::size_t>(i)] = {first, std::min(first + 1, in - 1),
                                           place - static_cast<float>(first)};
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
void narrow_line(const Value* in, const std::vector<Between>& columns, std::int64_t channels, float* out) {
  const std::int64_t n = fixed > 0 ? fixed : channels;
  for (const Between& column : columns) {
    const Value* left = in + column.first * n;
    const Value* right = in + column.second * n;
    for (std::int64_t c = 0; c < n; ++c) {
      const auto value = static_cast<float>(left[c]);
      *out++ = value + (static_cast<float>(right[c]) - value) * column.share;
    }
  }
}

template <class Value>
void bilinear(const Value* in, const ImageShape& shape, const std::vector<Between>& rows,
              const std::vector<Between>& columns, float* out) {
  const auto line = static_cast<std::int64_t>(columns.size()) * shape.channels;
  // The two input rows last used, already at the output's columns: when an image is enlarged, or hardly
  // reduced, most rows serve again.
  std::array<std::vector<float>, 2> lines;
  std::array<std::int64_t, 2> held{-1, -1};
  for (std::vector<float>& one : lines) one.resize(static_cast<std::size_t>(line));
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
  for (const Between& row : rows) {
    // The second row may be held already: the first must not take its place.
    const std::size_t top_slot = fetch(row.first, held[0] == row.second ? 0 : 1);
    const std::size_t bottom_slot = fetch(row.second, top_slot);
    const float* top = lines[top_slot].data();
    const float* bottom = lines[bottom_slot].data();
    for (std::int64_t i = 0; i < line; ++i) out[i] = top[i] + (bottom[i] - top[i]) * row.share;
    out += line;
  }
}

/// The four pixels around an output pixel, and their weights.
struct Around {
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

std::vector<Around> arounds(std::int64_t in, std::int64_t out) {
  constexpr double steps = 1024;  // TensorFlow takes weights from a table
  const float scale = plain_scale(in, out);
  std::vector<Around> result(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const float place = static_cast<float>(i) * scale;
    const auto base = static_cast<std::int64_t>(place);
    const double x = std::nearbyint(static_cast<double>(place - static_cast<float>(base)) * steps) / steps;
    Around& around = result[static_cast<std::size_t>(i)];
    const std::array<double, 4> weights{far_weight(1 + x), near_weight(x), near_weight(1 - x),
                                        far_weight(2 - x)};
    for (std::size_t tap = 0; tap < 4; ++tap) {
      around.places[tap] = std::clamp<std::int64_t>(base - 1 + static_cast<std::int64_t>(tap), 0, in - 1);
      around.weights[tap] = static_cast<float>(weights[tap]);
    }
  }
  return result;
}

}  // namespace

void resize_bilinear(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out) {
  const ImageShape& shape = image.shape;
  std::vector<Between> columns = betweens(shape.width, width, plain_scale(shape.width, width));
  if (mirror) std::ranges::reverse(columns);
  bilinear(image.bytes.data(), shape, betweens(shape.height, height, plain_scale(shape.height, height)),
           columns, out);
}

void resize_bilinear_aligned(const float* in, const ImageShape& shape, std::int64_t height,
                             std::int64_t width, float* out) {
  bilinear(in, shape, betweens(shape.height, height, aligned_scale(shape.height, height)),
           betweens(shape.width, width, aligned_scale(shape.width, width)), out);
}

void resize_bicubic(const Image& image, std::int64_t height, std::int64_t width, bool mirror, float* out) {
  const ImageShape& shape = image.shape;
  const std::int64_t channels = shape.channels, line = shape.width * channels;
  std::vector<Around> columns = arounds(shape.width, width);
  if (mirror) std::ranges::reverse(columns);
  for (Around& column : columns)
    for (std::int64_t& place : column.places) place *= channels;
  std::vector<float> mixed(static_cast<std::size_t>(line));
  for (const Around& row : arounds(shape.height, height)) {
    std::array<const std::uint8_t*, 4> in{};
    for (std::size_t tap = 0; tap < 4; ++tap) in[tap] = image.bytes.data() + row.places[tap] * line;
    for (std::int64_t i = 0; i < line; ++i)
      mixed[static_cast<std::size_t>(i)] =
          row.weights[0] * static_cast<float>(in[0][i]) + row.weights[1] * static_cast<float>(in[1][i]) +
          row.weights[2] * static_cast<float>(in[2][i]) + row.weights[3] * static_cast<float>(in[3][i]);
    for (const Around& column : columns)
      for (std::int64_t c = 0; c < channels; ++c) {
        const float* pixel = mixed.data() + c;
        *out++ = column.weights[0] * pixel[column.places[0]] + column.weights[1] * pixel[column.places[1]] +
                 column.weights[2] * pixel[column.places[2]] + column.weights[3] * pixel[column.places[3]];
      }
  }
}

}  // namespace lrid::data
