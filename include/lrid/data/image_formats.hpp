#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/data/image_dataset.hpp>

namespace lrid::data {

/// A way image data sets lie on disk, one line each in image_formats().
struct ImageFormat {
  std::string name, summary;
  bool (*recognise)(const std::filesystem::path& folder);
  ImageDataset (*read)(const std::filesystem::path& folder, const ReadOptions& options);
};
const std::vector<ImageFormat>& image_formats();

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

}  // namespace lrid::data
