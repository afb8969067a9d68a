#pragma once

#include <memory>
#include <string>

#include <lrid/data/crop_flip.hpp>
#include <lrid/data/image_dataset.hpp>
#include <lrid/data/normalization.hpp>
#include <lrid/data/split.hpp>
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
  data::ReadOptions read_;
  data::SplitOptions split_;
  data::NormalizationOptions normalization_;
  data::CropFlipOptions augmentation_;
};

}  // namespace lrid::tasks
