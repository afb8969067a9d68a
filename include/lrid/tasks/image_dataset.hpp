#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/tasks/image.hpp>

namespace lrid::tasks {

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

/// Reads the data set in `folder`. Format "auto" finds out which it is.
///
/// **cifar10-binary**: `data_batch_*.bin`, and `test_batch.bin` for validation, in `folder` or in
/// `cifar-10-batches-bin/` below it. Records of 3,073 bytes: the class number 0 … 9, then a red, a green and
/// a blue plane of 32 × 32 (https://www.cs.toronto.edu/~kriz/cifar.html).
///
/// **image-folder**: `train/<class>/` with JPEG and PNG files, and for validation `val/<class>/` or, where
/// there is no `val/`, `test/<class>/` with the same classes. Classes are numbered, and images ordered, by
/// name, bytewise. Hidden files and other extensions are passed over. Grey images stay grey if all are,
/// otherwise they become RGB.
///
/// **pack**: a file that `lrid-train --pack` has made of an image folder.
///
/// InputError naming file or folder, what is wrong and what was expected: nothing recognisable, unreadable or
/// corrupt files, fewer than two classes, classes without images, classes that are in one of the parts only,
/// images of different sizes.
ImageDataset read_image_dataset(const std::filesystem::path& folder, const ReadOptions& options);

}  // namespace lrid::tasks
