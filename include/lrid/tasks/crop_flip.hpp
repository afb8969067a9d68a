#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <lrid/tasks/image_dataset.hpp>
#include <lrid/tasks/normalization.hpp>
#include <lrid/tasks/preparation.hpp>

namespace lrid::tasks {

/// The usual augmentation of small images (He et al., CVPR 2016, section 4.2): a normalised image, padded
/// with zeros on all sides, is cut to size at a random place and mirrored half of the time.
struct CropFlipOptions {
  bool enabled = true;  ///< off: training images are prepared as evaluation images are
  std::int64_t pad = 4;
  std::optional<std::int64_t> crop{};  ///< side of the square cut out; without: the image's own size
  bool flip = true;
};

/// What the key of a sample decides: where the window starts in the unpadded image (−pad … size + pad − crop,
/// uniform) and whether its columns are mirrored.
struct CropFlipChoice {
  std::int64_t top = 0, left = 0;
  bool flip = false;
};

/// Prepares images held in memory, in one pass from bytes to floats. Evaluation: the central window, not
/// mirrored.
class CropFlip : public Preparation {
 public:
  /// InputError if the crop is larger than the images.
  CropFlip(std::shared_ptr<const ImageDataset> data, Normalization normalization,
           const CropFlipOptions& options);

  [[nodiscard]] ImageShape shape() const override { return shape_; }
  void write_training(std::int64_t image, Key key, float* out) const override;
  void write_evaluation(std::int64_t image, float* out) const override;

  [[nodiscard]] CropFlipChoice choose(Key key) const;

 private:
  void write(std::int64_t image, const CropFlipChoice& choice, float* out) const;

  std::shared_ptr<const ImageDataset> data_;
  Normalization normalization_;
  CropFlipOptions options_;
  ImageShape shape_;
  CropFlipChoice centre_;
};

}  // namespace lrid::tasks
