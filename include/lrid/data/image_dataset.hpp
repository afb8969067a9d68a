#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/data/image.hpp>

namespace lrid::data {

/// What images a data set has. They are numbered 0 … size−1: the training images first, in an order that
/// depends on nothing but file names (for binary files: on their order in the file), then validation images
/// where the data set comes with some.
struct ImageList {
  std::string name;                  ///< "cifar10", or the image folder's name
  std::vector<std::string> classes;  ///< class number → name
  std::vector<std::int64_t> labels;  ///< class number of each image
  std::int64_t training_images = 0;  ///< numbers below are training images

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Labelled images, decoded and in memory.
struct ImageDataset : ImageList {
  std::vector<Image> images;  ///< all of the same shape

  [[nodiscard]] const ImageShape& shape() const { return images.front().shape; }
  [[nodiscard]] std::int64_t bytes() const;
};

/// How to read a data set.
struct ReadOptions {
  std::string format = "auto";         ///< "auto", "cifar10-binary", "image-folder" or "pack"
  std::optional<std::int64_t> size{};  ///< resize to size × size; without: all images must be of one size
  bool skip_bad = false;  ///< leave out images that cannot be decoded (a line in the log for each)
  int threads = 1;        ///< for decoding; the result does not depend on it
};

}  // namespace lrid::data
