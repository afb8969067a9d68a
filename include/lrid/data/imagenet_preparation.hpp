#pragma once

#include <array>
#include <memory>
#include <string>

#include <lrid/data/image_source.hpp>
#include <lrid/data/preparation.hpp>

namespace lrid::data {

/// The study's preparations of ImageNet (tasks.md, section 3, from tfutils), with TensorFlow's crop sampler
/// and resizing. Results are [size, size, 3].
///
/// **resnet**. Training: a random crop (area 0.08–1, aspect 3/4–4/3), where that is the whole image a
/// uniformly placed square of its shorter side; bilinear to 224 × 224, truncated to whole bytes; mirrored
/// half of the time; divided by 255, minus ImageNet's mean, divided by its deviation. Evaluation: with s =
/// 256/shorter side the central square of ⌊224/s⌋, likewise. A size other than 224 is reached by resizing the
/// result once more (bilinear, corners aligned).
///
/// **alex-center**. As resnet, but training crops are squares of ⌊224/s⌋ uniformly placed inside the central
/// square.
///
/// **inception**. Training: a random crop (area 0.05–1, aspect 0.75–1.33), bilinear to `size`, mirrored half
/// of the time, brightness ± 32/255, saturation × 0.5–1.5, cut to [0, 1], then 2(x − 0.5). Evaluation: the
/// central 87.5 % of each dimension.
class ImagenetPreparation : public Preparation {
 public:
  enum class Kind { resnet, alex_center, inception };

  /// `augment` off: training images are prepared as evaluation images are. `scaled_decode`: see
  /// RegionRequest.
  ImagenetPreparation(std::shared_ptr<const ImageSource> source, Kind kind, std::int64_t size, bool augment,
                      bool scaled_decode);

  [[nodiscard]] ImageShape shape() const override { return {size_, size_, 3}; }
  void write_training(std::int64_t image, Key key, float* out) const override;
  void write_evaluation(std::int64_t image, float* out) const override;

  /// What a training image's key, and what evaluation cuts out of an image.
  [[nodiscard]] Region training_crop(std::int64_t height, std::int64_t width, Stream& random) const;
  [[nodiscard]] Region evaluation_crop(std::int64_t height, std::int64_t width) const;

 private:
  [[nodiscard]] std::int64_t crop_size() const;
  void write_normalised(const Image& crop, bool mirror, float* out) const;

  std::shared_ptr<const ImageSource> source_;
  Kind kind_;
  std::int64_t size_;
  bool augment_, scaled_decode_;
  std::array<std::array<float, 256>, 3> normalised_{};  ///< byte → value, per channel
};

}  // namespace lrid::data
