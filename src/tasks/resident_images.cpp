#include <lrid/core/app.hpp>
#include <lrid/data/image_formats.hpp>
#include <lrid/tasks/resident_images.hpp>

namespace lrid::tasks {

ResidentImages::ResidentImages(Options& options) {
  std::vector<std::string> formats{"auto"};
  for (const data::ImageFormat& format : data::image_formats()) formats.push_back(format.name);
  options.add("data.dataset", read_.format, Accepts::one_of(formats),
              "how the data lie on disk; auto: find out (--list datasets says what each expects)");
  options.add("data.folder", folder_, Accepts::anything(), "folder of the data below --data-dir");
  options.add("data.size", read_.size, Accepts::between(1, 1024),
              "cut images to their central square and resize it to so many pixels; auto: take them as they "
              "are, all of one size");
  options.add("data.skip_bad", read_.skip_bad, Accepts::anything(),
              "leave out images that cannot be read; a line in the log for each");
  split_.declare(options);
  options.add("data.normalize", normalization_.kind, Accepts::one_of({"mean-image", "mean-sd", "none"}),
              "subtract the training set's mean image (Caffe's cifar10_full), or each channel's mean and "
              "divide by its standard deviation, or neither");
  options.add(
      "data.white", normalization_.white, Accepts::above(0),
      "what a byte of 255 stands for (not for mean-sd): 255 is the scale for which the KNets' initial "
      "values were made, 1 gives [0, 1]");
  options.add("augmentation.enabled", augmentation_.enabled, Accepts::anything(),
              "augment training images: crop and flip");
  options.add("augmentation.pad", augmentation_.pad, Accepts::between(0, 1024),
              "zeros around a normalised image before it is cropped, in pixels a side");
  options.add("augmentation.crop", augmentation_.crop, Accepts::between(1, 1024),
              "side of the random square crop, for evaluation of the central one; auto: the image's size");
  options.add("augmentation.flip", augmentation_.flip, Accepts::anything(),
              "mirror half of the training images left to right");
}

void ResidentImages::load(const std::filesystem::path& data_dir, int threads) {
  data::ReadOptions read = read_;
  read.threads = threads_or_all(threads);
  const auto data = std::make_shared<const data::ImageDataset>(
      data::read_image_dataset(folder_.empty() ? data_dir : data_dir / folder_, read));
  data::Split split = data::make_split(data->labels, data->training_images, split_);
  data::Normalization normalization = data::fit_normalization(data->images, split.training, normalization_);
  set_images(
      {.classes = std::ssize(data->classes),
       .labels = data->labels,
       .preparation = std::make_shared<const data::CropFlip>(data, std::move(normalization), augmentation_)},
      {.dataset = data->name, .split = std::move(split), .bytes = data->bytes()});
}

}  // namespace lrid::tasks
