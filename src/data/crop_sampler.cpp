#include "crop_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <lrid/core/index.hpp>

namespace lrid::data {

namespace {

/// Share of the image that a crop has to show.
constexpr float least_covered = 0.1F;
constexpr int attempts = 100;

std::int64_t rounded(float value) {
  return std::lrint(value);
}

std::optional<Region> attempt(std::int64_t height, std::int64_t width, const CropRange& range,
                              Stream& random) {
  const float aspect =
      range.least_aspect + static_cast<float>(random.uniform()) * (range.most_aspect - range.least_aspect);
  const auto pixels = static_cast<float>(height * width);
  const float least = range.least_area * pixels, most = range.most_area * pixels;
  const auto width_for = [&](std::int64_t rows) { return rounded(static_cast<float>(rows) * aspect); };

  std::int64_t tallest = rounded(std::sqrt(most / aspect));
  if (width_for(tallest) > width) {
    tallest = static_cast<std::int64_t>((static_cast<float>(width) + 0.4999999F) / aspect);
    if (width_for(tallest) > width) --tallest;
  }
  tallest = std::min(tallest, height);
  std::int64_t rows = std::min(rounded(std::sqrt(least / aspect)), tallest);
  if (rows < tallest) rows += to_index(random.below(static_cast<std::uint64_t>(tallest - rows + 1)));

  // Rounding may have put the area just outside of its limits.
  const auto area = [&] { return static_cast<float>(rows * width_for(rows)); };
  if (area() < least) ++rows;
  if (area() > most) --rows;
  const std::int64_t columns = width_for(rows);
  if (rows < 1 || columns < 1 || rows > height || columns > width || area() < least || area() > most)
    return std::nullopt;

  const auto start = [&](std::int64_t size, std::int64_t crop) {
    return crop < size ? to_index(random.below(static_cast<std::uint64_t>(size - crop))) : std::int64_t{0};
  };
  const std::int64_t top = start(height, rows), left = start(width, columns);
  if (area() < least_covered * pixels) return std::nullopt;
  return Region{top, left, rows, columns};
}

}  // namespace

Region sample_crop(std::int64_t height, std::int64_t width, const CropRange& range, Stream& random) {
  for (int i = 0; i < attempts; ++i)
    if (const auto crop = attempt(height, width, range, random)) return *crop;
  return {0, 0, height, width};
}

}  // namespace lrid::data
