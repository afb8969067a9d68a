#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/data/image_dataset.hpp>

namespace lrid::data {

/// Labelled images whose pixels are read when asked for. Numbered as an ImageDataset's. Immutable; all
/// threads share one.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;

  [[nodiscard]] const ImageList& list() const { return list_; }
  /// The requested region in RGB. InputError naming the image.
  [[nodiscard]] virtual Image read(std::int64_t image, const RegionRequest& request) const = 0;
  /// Memory that the images take.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;

 protected:
  explicit ImageSource(ImageList list) : list_(std::move(list)) {}
  ImageList list_;
};

/// Images that are decoded already.
class ResidentSource : public ImageSource {
 public:
  explicit ResidentSource(ImageDataset data)
      : ImageSource(static_cast<const ImageList&>(data)), images_(std::move(data.images)) {}
  [[nodiscard]] Image read(std::int64_t image, const RegionRequest& request) const override;
  [[nodiscard]] std::int64_t bytes() const override;

 private:
  std::vector<Image> images_;
};

/// Images as JPEG or PNG files.
class EncodedSource : public ImageSource {
 public:
  [[nodiscard]] Image read(std::int64_t image, const RegionRequest& request) const override;

  /// The file's bytes; `room` holds them where they are not in memory anyway.
  [[nodiscard]] virtual std::string_view contents(std::int64_t image, std::string& room) const = 0;
  /// For messages.
  [[nodiscard]] virtual std::string file_name(std::int64_t image) const = 0;
  /// The file's path in its data set: "train/<class>/<file>".
  [[nodiscard]] virtual std::string relative_name(std::int64_t image) const = 0;

 protected:
  using ImageSource::ImageSource;
};

}  // namespace lrid::data
