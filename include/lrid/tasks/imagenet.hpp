#pragma once

#include <optional>
#include <string>

#include <lrid/tasks/supervised_task.hpp>

namespace lrid::tasks {

/// Options of image folders and packs whose images are decoded when they are needed.
struct ImageFileOptions {
  std::string folder;
  bool skip_bad = false, scaled_decode = false;
  std::optional<std::int64_t> workers{};
  data::SplitOptions split;

  /// [data] and [probe].
  void declare(Options& options);
  /// Threads that prepare batches.
  [[nodiscard]] int worker_threads() const;
};

/// Task "imagenet": classification of photographs that are decoded as they are needed, from an image folder
/// or a pack. Options: [data], [probe], [augmentation].
class Imagenet : public SupervisedTask {
 public:
  /// The study prepared images for the ResNets v2 in Inception's way, at 299 pixels, and for all others in
  /// ResNet's, at 224 (Neural-Alignment, params.py).
  Imagenet(Options& options, const std::string& architecture);
  void load(const std::filesystem::path& data_dir, int threads) override;
  /// With ImageNet's thousand classes.
  static TaskShape usual_shape(const std::string& architecture);

 private:
  ImageFileOptions files_;
  std::optional<std::string> preparation_;
  std::optional<std::int64_t> size_;
  bool augment_ = true;
};

}  // namespace lrid::tasks
