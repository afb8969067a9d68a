#include <lrid/core/text.hpp>
#include <lrid/data/image_formats.hpp>
#include <lrid/tasks/imagenet.hpp>
#include <lrid/tasks/resident_images.hpp>
#include <lrid/tasks/simclr.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/tasks/wsn.hpp>

namespace lrid::tasks {

std::int64_t Task::steps_per_epoch(std::int64_t batch_size) const {
  if (batch_size < 1 || batch_size > training_samples())
    bad_input("batch_size = {}: the training set has {}, expected 1 to {}", batch_size,
              counted(training_samples(), "sample"), training_samples());
  return training_samples() / batch_size;
}

namespace {

template <class OneTask>
std::unique_ptr<Task> make(Options& options, const std::string& /*architecture*/) {
  return std::make_unique<OneTask>(options);
}

}  // namespace

const Registry<TaskEntry>& tasks() {
  static const Registry<TaskEntry> registry(
      "task",
      {
          {"cifar10", "classification of small images held in memory: CIFAR-10 or any image folder",
           make<ResidentImages>, [](const std::string&) { return TaskShape{}; }},
          {"imagenet", "classification of photographs from an image folder or a pack of one",
           [](Options& options, const std::string& architecture) {
             return std::make_unique<Imagenet>(options, architecture);
           },
           Imagenet::usual_shape},
          {"simclr", "contrastive learning of images: folder, pack or CIFAR-10", make<Simclr>,
           [](const std::string&) {
             return TaskShape{.height = 224, .width = 224, .outputs = 128, .contrastive = true};
           },
           1e-6},
          {"wsn", "words, speakers and noises told from cochleagrams of noisy speech", make<WordSpeakerNoise>,
           [](const std::string&) {
             return TaskShape{.channels = 1, .height = 203, .width = 400, .outputs = 587};
           }},
      });
  return registry;
}

const Registry<DatasetEntry>& datasets() {
  static const Registry<DatasetEntry> registry("dataset", [] {
    std::vector<DatasetEntry> entries;
    for (const data::ImageFormat& format : data::image_formats())
      entries.push_back({format.name, format.summary});
    entries.push_back({"sound-manifests", "words.csv and noises.csv, which list sound files (wsn)"});
    return entries;
  }());
  return registry;
}

}  // namespace lrid::tasks
