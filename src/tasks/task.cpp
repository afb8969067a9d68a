#include <lrid/tasks/resident_images.hpp>
#include <lrid/tasks/task.hpp>

#include "image_formats.hpp"

namespace lrid::tasks {

std::int64_t Task::steps_per_epoch(std::int64_t batch_size) const {
  if (batch_size < 1 || batch_size > training_samples())
    bad_input("batch_size = {}: the training set has {} samples, expected 1 to {}", batch_size,
              training_samples(), training_samples());
  return training_samples() / batch_size;
}

const Registry<TaskEntry>& tasks() {
  static const Registry<TaskEntry> registry(
      "task", {
                  {"cifar10", "classification of small images held in memory: CIFAR-10 or any image folder",
                   [](Options& options) { return std::make_unique<ResidentImages>(options); }},
              });
  return registry;
}

const Registry<DatasetEntry>& datasets() {
  static const Registry<DatasetEntry> registry("dataset", [] {
    std::vector<DatasetEntry> entries;
    for (const ImageFormat& format : image_formats()) entries.push_back({format.name, format.summary});
    return entries;
  }());
  return registry;
}

}  // namespace lrid::tasks
