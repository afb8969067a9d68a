#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <lrid/data/device_form.hpp>
#include <lrid/data/device_images.hpp>
#include <lrid/data/image_dataset.hpp>
#include <lrid/data/normalization.hpp>
#include <lrid/data/preparation.hpp>

namespace lrid::data {

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

/// Prepares images held in memory, in one pass from bytes to floats, on the host or on a GPU. Evaluation: the
/// central window, not mirrored.
class CropFlip : public Preparation, public DeviceForm {
 public:
  /// InputError if the crop is larger than the images.
  CropFlip(std::shared_ptr<const ImageDataset> data, Normalization normalization,
           const CropFlipOptions& options);

  [[nodiscard]] ImageShape shape() const override { return shape_; }
  void write_training(std::int64_t image, Key key, float* out) const override;
  void write_evaluation(std::int64_t image, float* out) const override;

  [[nodiscard]] const DeviceForm* device_form() const override { return this; }
  [[nodiscard]] bool fits(torch::Device device) const override { return device_images_.fit(device); }
  [[nodiscard]] Window training_window(std::int64_t image, Key key) const override;
  [[nodiscard]] Window evaluation_window(std::int64_t image) const override;
  [[nodiscard]] torch::Tensor make(const torch::Tensor& windows) const override {
    return device_images_.make(windows);
  }

  [[nodiscard]] CropFlipChoice choose(Key key) const;

 private:
  [[nodiscard]] CropFlipChoice training_choice(Key key) const {
    return options_.enabled ? choose(key) : centre_;
  }
  void write(std::int64_t image, const CropFlipChoice& choice, float* out) const;

  std::shared_ptr<const ImageDataset> data_;
  Normalization normalization_;
  CropFlipOptions options_;
  ImageShape shape_;
  CropFlipChoice centre_;
  DeviceImages device_images_;
};

}  // namespace lrid::data
