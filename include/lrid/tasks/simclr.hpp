#pragma once

#include <memory>
#include <optional>
#include <string>

#include <lrid/data/contrastive_views.hpp>
#include <lrid/tasks/imagenet.hpp>
#include <lrid/tasks/sampled_task.hpp>

namespace lrid::tasks {

/// Task "simclr": contrastive learning of images without labels (ntxent.hpp, contrastive_views.hpp), from an
/// image folder or a pack whose images are decoded as they are needed, or from CIFAR-10's binary files. The
/// validation samples' two views are fixed, and not blurred. Options: [data], [probe], [augmentation],
/// [contrastive].
class Simclr : public SampledTask {
 public:
  explicit Simclr(Options& options);
  void load(const std::filesystem::path& data_dir, int threads) override;

  [[nodiscard]] TaskShape shape() const override;
  /// outputs [2N, D]; targets are not looked at.
  [[nodiscard]] LossValue loss(const Tensor& outputs, const Tensor& targets) const override;
  [[nodiscard]] std::vector<std::string> more_metrics() const override { return {"contrastive_accuracy"}; }

 private:
  [[nodiscard]] Batch make_room(std::int64_t samples, torch::Device device) const override;
  [[nodiscard]] Batch make_probe_room(std::int64_t samples, torch::Device device) const override;
  void write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                      const Draw& draw) const override;
  void write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const override;
  void write_probe(const Batch& room, std::int64_t place, std::int64_t sample) const override;
  /// Both views; `sigma` of each.
  void write_views(const Batch& room, std::int64_t place, std::int64_t sample, Key key,
                   const std::array<double, 2>& sigma) const;

  ImageFileOptions files_;
  data::ViewOptions view_options_;
  std::optional<std::int64_t> size_;
  double temperature_ = 0.1;
  std::int64_t shards_ = 1;
  std::unique_ptr<const data::ContrastiveViews> views_;
};

}  // namespace lrid::tasks
