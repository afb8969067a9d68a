#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/data/image.hpp>

namespace lrid::data {

/// Bytes to floats: value = (byte − offset) · factor, with an offset and a factor for every place
/// [height, width, channels] of an image.
struct Normalization {
  std::vector<float> offset, factor;
};

struct NormalizationOptions {
  /// "mean-image": minus the training images' mean image, pixel by pixel (Caffe's cifar10_full). "mean-sd":
  /// minus each channel's mean, divided by its standard deviation (dividing by n). "none": as they are.
  std::string kind = "mean-image";
  /// What a byte of 255 stands for ("mean-image" and "none"). 255 is Caffe's scale, for which the initial
  /// kernels of the KNets (sd 1e-4 in the first layer) were made: with values around 1 the KNets with local
  /// response normalisation stay at chance where they learn within a few epochs on this scale. Batch norm
  /// makes the others indifferent.
  double white = 255;
};

/// Fits to the images of the given numbers. Sums are exact integers, so neither order nor threads matter.
/// A channel without variance keeps a factor of 1.
Normalization fit_normalization(const std::vector<Image>& images, const std::vector<std::int64_t>& numbers,
                                const NormalizationOptions& options);

}  // namespace lrid::data
