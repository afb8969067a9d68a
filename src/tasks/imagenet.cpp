#include <lrid/core/app.hpp>
#include <lrid/data/imagenet_preparation.hpp>
#include <lrid/data/open_images.hpp>
#include <lrid/tasks/imagenet.hpp>

namespace lrid::tasks {

namespace {

const char* usual_preparation(const std::string& architecture) {
  return architecture.ends_with("v2") ? "inception" : "resnet";
}

std::int64_t usual_size(const std::string& preparation) {
  return preparation == "inception" ? 299 : 224;
}

}  // namespace

void ImageFileOptions::declare(Options& options) {
  options.add(
      "data.folder", folder, Accepts::anything(),
      "folder of the data (train/<class>/, val/<class>/ or ILSVRC's flat val/), or a pack of one, below "
      "--data-dir");
  options.add(
      "data.skip_bad", skip_bad, Accepts::anything(),
      "decode everything first, and leave out images that cannot be read; a line in the log for each");
  options.add(
      "data.scaled_decode", scaled_decode, Accepts::anything(),
      "decode large JPEG images at half, a quarter or an eighth of their size where enough pixels are "
      "left: faster, slightly other values");
  split.declare(options);
  options.add("compute.workers", workers, Accepts::between(1, 4096),
              "threads that read and decode, ahead of the device; auto: all cores; changes no bits");
}

int ImageFileOptions::worker_threads() const {
  return threads_or_all(workers.value_or(0));
}

Imagenet::Imagenet(Options& options, const std::string& architecture) {
  files_.declare(options);
  options.add(
      "data.preparation", preparation_, Accepts::one_of({"resnet", "inception", "alex-center"}),
      "how images are cut, augmented and normalised; auto: inception for the ResNets v2, resnet for all "
      "others");
  options.add("data.size", size_, Accepts::between(16, 1024),
              "height and width of what networks get; auto: 299 with inception, otherwise 224");
  options.add("augmentation.enabled", augment_, Accepts::anything(),
              "random crops, mirroring and colours for training images");
  preparation_ = preparation_.value_or(usual_preparation(architecture));
  size_ = size_.value_or(usual_size(*preparation_));
  options.resolve("data.preparation", {*preparation_});
  options.resolve("data.size", {*size_});
}

TaskShape Imagenet::usual_shape(const std::string& architecture) {
  const std::int64_t size = usual_size(usual_preparation(architecture));
  return {.height = size, .width = size, .outputs = 1000};
}

void Imagenet::load(const std::filesystem::path& data_dir, int threads) {
  const auto source = data::open_images(files_.folder.empty() ? data_dir : data_dir / files_.folder,
                                        files_.skip_bad, threads_or_all(threads));
  using Kind = data::ImagenetPreparation::Kind;
  const Kind kind = *preparation_ == "inception"     ? Kind::inception
                    : *preparation_ == "alex-center" ? Kind::alex_center
                                                     : Kind::resnet;
  const data::ImageList& list = source->list();
  set_images({.classes = std::ssize(list.classes),
              .labels = list.labels,
              .preparation = std::make_shared<const data::ImagenetPreparation>(source, kind, *size_, augment_,
                                                                               files_.scaled_decode)},
             {.dataset = list.name,
              .split = data::make_split(list.labels, list.training_images, files_.split),
              .bytes = source->bytes(),
              .workers = files_.worker_threads()});
}

}  // namespace lrid::tasks
