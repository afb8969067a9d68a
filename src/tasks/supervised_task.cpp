#include <span>

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/tasks/data_order.hpp>
#include <lrid/tasks/run_ahead.hpp>
#include <lrid/tasks/supervised_task.hpp>

namespace lrid::tasks {

namespace {

/// A batch on the host, in pinned memory where it goes on to a GPU (PyTorch's allocator takes pinned memory
/// back only after the copy has been made).
Batch empty_batch(std::int64_t samples, const ImageShape& shape, torch::Device device) {
  const auto options = torch::TensorOptions().pinned_memory(device.is_cuda());
  return {at::empty({samples, shape.channels, shape.height, shape.width}, options.dtype(torch::kFloat32),
                    at::MemoryFormat::ChannelsLast),
          at::empty({samples}, options.dtype(torch::kInt64))};
}

Batch to_device(const Batch& batch, torch::Device device) {
  if (device.is_cpu()) return batch;
  return {batch.inputs.to(device, /*non_blocking=*/true), batch.targets.to(device, /*non_blocking=*/true)};
}

/// Training batches. On the CPU the network's threads need every core, and writing a batch from bytes takes
/// less than a hundredth of a training step: it is made when asked for. For a GPU, threads run ahead.
class SupervisedBatches : public BatchSource {
 public:
  SupervisedBatches(std::shared_ptr<const Preparation> preparation, std::vector<std::int64_t> training,
                    const std::vector<std::int64_t>& labels, std::int64_t batch_size,
                    std::int64_t dataset_seed, torch::Device device)
      : preparation_(std::move(preparation)),
        training_(std::move(training)),
        order_(std::ssize(training_), batch_size, dataset_seed),
        device_(device) {
    for (const std::int64_t image : training_) labels_.push_back(labels[static_cast<std::size_t>(image)]);
    if (!device.is_cpu()) ahead_.emplace([this](std::int64_t step) { return make(step); }, 2, 4);
  }

  Batch batch(std::int64_t step) override {
    return to_device(ahead_ ? ahead_->take(step) : make(step), device_);
  }

 private:
  [[nodiscard]] Batch make(std::int64_t step) const {
    const std::vector<DataOrder::Place> places = order_.batch(step);
    Batch batch = empty_batch(std::ssize(places), preparation_->shape(), device_);
    auto* inputs = batch.inputs.mutable_data_ptr<float>();
    auto* targets = batch.targets.mutable_data_ptr<std::int64_t>();
    for (const DataOrder::Place& place : places) {
      const auto sample = static_cast<std::size_t>(place.sample);
      preparation_->write_training(training_[sample], place.key, inputs);
      inputs += preparation_->shape().values();
      *targets++ = labels_[sample];
    }
    return batch;
  }

  std::shared_ptr<const Preparation> preparation_;
  std::vector<std::int64_t> training_, labels_;
  DataOrder order_;
  torch::Device device_;
  std::optional<RunAhead<Batch>> ahead_;  // last: its threads end first
};

/// SHA-256 of "<size> <height> <width> <channels>\n" and the inputs' float32 values as they are in memory.
std::string checksum(const Preparation& preparation, std::span<const std::int64_t> images) {
  const ImageShape shape = preparation.shape();
  std::string bytes = fmt::format("{} {} {} {}\n", images.size(), shape.height, shape.width, shape.channels);
  std::vector<float> input(static_cast<std::size_t>(shape.values()));
  for (const std::int64_t image : images) {
    preparation.write_evaluation(image, input.data());
    bytes.append(reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float));
  }
  return sha256(bytes);
}

}  // namespace

TaskShape SupervisedTask::shape() const {
  const ImageShape image = data_.preparation->shape();
  return {.channels = image.channels, .height = image.height, .width = image.width, .outputs = data_.classes};
}

void SupervisedTask::set_data(Data data) {
  data_ = std::move(data);
  probe_checksum_ =
      checksum(*data_.preparation,
               std::span(data_.split.validation).first(static_cast<std::size_t>(data_.split.probe_size)));
}

std::unique_ptr<BatchSource> SupervisedTask::batches(std::int64_t dataset_seed, std::int64_t batch_size,
                                                     torch::Device device) const {
  static_cast<void>(steps_per_epoch(batch_size));  // InputError if the batch is too large
  return std::make_unique<SupervisedBatches>(data_.preparation, data_.split.training, data_.labels,
                                             batch_size, dataset_seed, device);
}

Batch SupervisedTask::evaluation(std::int64_t begin, std::int64_t end, torch::Device device) const {
  Batch batch = empty_batch(end - begin, data_.preparation->shape(), device);
  auto* inputs = batch.inputs.mutable_data_ptr<float>();
  auto* targets = batch.targets.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t image = data_.split.validation[static_cast<std::size_t>(i)];
    data_.preparation->write_evaluation(image, inputs);
    inputs += data_.preparation->shape().values();
    *targets++ = data_.labels[static_cast<std::size_t>(image)];
  }
  return to_device(batch, device);
}

Batch SupervisedTask::validation(std::int64_t begin, std::int64_t end, torch::Device device) const {
  TORCH_CHECK_INDEX(0 <= begin && begin <= end && end <= validation_samples(), "validation samples [", begin,
                    ", ", end, ") of ", validation_samples());
  return evaluation(begin, end, device);
}

Tensor SupervisedTask::probe(std::int64_t begin, std::int64_t end, torch::Device device) const {
  TORCH_CHECK_INDEX(0 <= begin && begin <= end && end <= probe_size(), "probe stimuli [", begin, ", ", end,
                    ") of ", probe_size());
  return evaluation(begin, end, device).inputs;
}

LossValue SupervisedTask::loss(const Tensor& outputs, const Tensor& targets) const {
  // Reduced precision (bf16) ends here: a mean of logarithms needs the digits.
  const Tensor logits = outputs.scalar_type() == torch::kFloat64 ? outputs : outputs.to(torch::kFloat32);
  const Tensor predicted = logits.detach().argmax(1);
  return {at::cross_entropy_loss(logits, targets), predicted.eq(targets).sum().to(torch::kFloat32)};
}

}  // namespace lrid::tasks
