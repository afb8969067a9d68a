#pragma once

#include <memory>
#include <string>

#include <lrid/tasks/crop_flip.hpp>
#include <lrid/tasks/image_dataset.hpp>
#include <lrid/tasks/normalization.hpp>
#include <lrid/tasks/split.hpp>
#include <lrid/tasks/supervised_task.hpp>

namespace lrid::tasks {

/// Task "cifar10": classification of small images that are decoded once and stay in memory as bytes:
/// CIFAR-10, or any image folder. Options: [data], [probe], [augmentation].
class ResidentImages : public SupervisedTask {
 public:
  explicit ResidentImages(Options& options);
  void load(const std::filesystem::path& data_dir, int threads) override;

 private:
  std::string folder_;
  ReadOptions read_;
  SplitOptions split_;
  NormalizationOptions normalization_;
  CropFlipOptions augmentation_;
};

}  // namespace lrid::tasks
