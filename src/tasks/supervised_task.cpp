#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include <lrid/tasks/supervised_task.hpp>

#include "batch_room.hpp"

namespace lrid::tasks {

TaskShape SupervisedTask::shape() const {
  const ImageShape image = images_.preparation->shape();
  return {
      .channels = image.channels, .height = image.height, .width = image.width, .outputs = images_.classes};
}

void SupervisedTask::set_images(Images images, Samples samples) {
  images_ = std::move(images);
  set_samples(std::move(samples));
}

Batch SupervisedTask::make_room(std::int64_t samples, bool pinned) const {
  return {empty_images(samples, images_.preparation->shape(), pinned),
          at::empty({samples}, torch::TensorOptions(torch::kInt64).pinned_memory(pinned))};
}

float* SupervisedTask::place_for(const Batch& room, std::int64_t place, std::int64_t image) const {
  room.targets.mutable_data_ptr<std::int64_t>()[place] = images_.labels[static_cast<std::size_t>(image)];
  return room.inputs.mutable_data_ptr<float>() + place * images_.preparation->shape().values();
}

void SupervisedTask::write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                                    const Draw& draw) const {
  images_.preparation->write_training(sample, draw.sample, place_for(room, place, sample));
}

void SupervisedTask::write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const {
  images_.preparation->write_evaluation(sample, place_for(room, place, sample));
}

LossValue SupervisedTask::loss(const Tensor& outputs, const Tensor& targets) const {
  const Tensor logits = at_least_float32(outputs);
  const Tensor predicted = logits.detach().argmax(1);
  return {at::cross_entropy_loss(logits, targets), predicted.eq(targets).sum().to(torch::kFloat32)};
}

}  // namespace lrid::tasks
