#pragma once

#include <memory>
#include <string>
#include <vector>

#include <lrid/data/preparation.hpp>
#include <lrid/tasks/sampled_task.hpp>

namespace lrid::tasks {

/// Classification of images with the mean cross entropy: everything of a task but where the images come from
/// and how they are prepared, which a derived class says in load(). Batches are float32 [N, C, H, W] in
/// channels-last memory, which is what the networks run on and what the preparations write.
///
/// On a GPU that can make the images itself (device_form.hpp), only their windows are written on the host and
/// copied, int32 [N, Window::numbers]; finish() turns them into the same images.
class SupervisedTask : public SampledTask {
 public:
  [[nodiscard]] TaskShape shape() const override;

  /// outputs [N, classes], targets [N] int64: the mean of −log softmax(outputs)[target], in float32 (float64
  /// for float64 outputs); correct where the first of the largest outputs is the target's.
  [[nodiscard]] LossValue loss(const Tensor& outputs, const Tensor& targets) const override;

 protected:
  struct Images {
    std::int64_t classes = 0;
    std::vector<std::int64_t> labels;  ///< of every image number
    std::shared_ptr<const data::Preparation> preparation;
  };
  SupervisedTask() = default;
  /// To be called by load().
  void set_images(Images images, Samples samples);

 private:
  [[nodiscard]] Batch make_room(std::int64_t samples, torch::Device device) const override;
  void write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                      const Draw& draw) const override;
  void write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const override;
  [[nodiscard]] Batch finish(Batch batch) const override;
  /// One sample: its label, and what `write_image(out)` writes or, in a batch of windows, `make_window(form)`
  /// says.
  template <class WriteImage, class MakeWindow>
  void write(const Batch& room, std::int64_t place, std::int64_t sample, const WriteImage& write_image,
             const MakeWindow& make_window) const;

  Images images_;
};

}  // namespace lrid::tasks
