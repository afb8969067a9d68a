#pragma once

#include <lrid/core/random.hpp>
#include <lrid/data/image.hpp>

namespace lrid::data {

/// What a random crop may be: its share of the image's area, and its width over height.
struct CropRange {
  float least_area = 0.08F, most_area = 1, least_aspect = 3.0F / 4, most_aspect = 4.0F / 3;
};

/// TensorFlow 1.x's sample_distorted_bounding_box around the whole image with min_object_covered = 0.1 and at
/// most 100 attempts (tasks.md, section 2): aspect uniform (not log-uniform), then the height a uniform
/// integer among those that fit, then the place uniform in 0 … size − crop − 1. Crops below a tenth of the
/// image are drawn anew, whatever `least_area`. The whole image if no attempt fits.
Region sample_crop(std::int64_t height, std::int64_t width, const CropRange& range, Stream& random);

}  // namespace lrid::data
