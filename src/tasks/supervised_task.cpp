#include "supervised_task.hpp"

#include <cstring>

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include <lrid/core/index.hpp>

#include "batch_room.hpp"

namespace lrid::tasks {

namespace {

/// Type of a batch's inputs that are windows so far, for a GPU to make images of; images are float32.
constexpr torch::ScalarType window_type = torch::kInt32;

bool holds_windows(const Batch& batch) {
  return batch.inputs.scalar_type() == window_type;
}

}  // namespace

TaskShape SupervisedTask::shape() const {
  const data::ImageShape image = images_.preparation->shape();
  return {
      .channels = image.channels, .height = image.height, .width = image.width, .outputs = images_.classes};
}

void SupervisedTask::set_images(Images images, Samples samples) {
  images_ = std::move(images);
  set_samples(std::move(samples));
}

Batch SupervisedTask::make_room(std::int64_t samples, torch::Device device) const {
  const data::DeviceForm* form = images_.preparation->device_form();
  return {form != nullptr && form->fits(device)
              ? at::empty({samples, data::Window::numbers}, room_for(device, window_type))
              : empty_images(samples, images_.preparation->shape(), device),
          at::empty({samples}, room_for(device, torch::kInt64))};
}

template <class WriteImage, class MakeWindow>
void SupervisedTask::write(const Batch& room, std::int64_t place, std::int64_t sample,
                           const WriteImage& write_image, const MakeWindow& make_window) const {
  room.targets.mutable_data_ptr<std::int64_t>()[place] = images_.labels[to_size(sample)];
  if (holds_windows(room)) {
    const data::Window window = make_window(*images_.preparation->device_form());
    std::memcpy(room.inputs.mutable_data_ptr<std::int32_t>() + place * data::Window::numbers, &window,
                sizeof window);
  } else {
    write_image(room.inputs.mutable_data_ptr<float>() + place * images_.preparation->shape().values());
  }
}

void SupervisedTask::write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                                    const Draw& draw) const {
  write(
      room, place, sample, [&](float* out) { images_.preparation->write_training(sample, draw.sample, out); },
      [&](const data::DeviceForm& form) { return form.training_window(sample, draw.sample); });
}

void SupervisedTask::write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const {
  write(
      room, place, sample, [&](float* out) { images_.preparation->write_evaluation(sample, out); },
      [&](const data::DeviceForm& form) { return form.evaluation_window(sample); });
}

Batch SupervisedTask::finish(Batch batch) const {
  if (holds_windows(batch)) batch.inputs = images_.preparation->device_form()->make(batch.inputs);
  return batch;
}

LossValue SupervisedTask::loss(const Tensor& outputs, const Tensor& targets) const {
  const Tensor logits = at_least_float32(outputs);
  const Tensor predicted = logits.detach().argmax(1);
  return {at::cross_entropy_loss(logits, targets), predicted.eq(targets).sum().to(torch::kFloat32)};
}

}  // namespace lrid::tasks
