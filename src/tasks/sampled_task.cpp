#include "sampled_task.hpp"

#include <algorithm>
#include <optional>

#include <fmt/ranges.h>

#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/data/data_order.hpp>
#include <lrid/data/parallel.hpp>
#include <lrid/data/prefetcher.hpp>

namespace lrid::tasks {

/// Training batches, at most two of them ahead.
class SampledTask::Batches : public BatchSource {
 public:
  Batches(const SampledTask& task, std::int64_t dataset_seed, std::int64_t batch_size, torch::Device device)
      : task_(task),
        order_(task.training_samples(), batch_size, dataset_seed),
        batch_key_(static_cast<std::uint64_t>(dataset_seed), "batch"),
        device_(device) {
    if (!device.is_cpu() || task.samples_.workers > 0)
      ahead_.emplace([this](std::int64_t step) { return make(step); }, 2);
  }

  Batch batch(std::int64_t step) override {
    return task_.to_device(ahead_ ? ahead_->take(step) : make(step), device_);
  }

 private:
  [[nodiscard]] Batch make(std::int64_t step) const {
    const std::vector<data::DataOrder::Place> places = order_.batch(step);
    const Key batch_key = batch_key_.with(static_cast<std::uint64_t>(step));
    Batch room = task_.make_room(std::ssize(places), device_);
    data::parallel_for(std::ssize(places), std::max(1, task_.samples_.workers), [&](std::int64_t place) {
      const data::DataOrder::Place& chosen = places[static_cast<std::size_t>(place)];
      const std::int64_t sample = task_.samples_.split.training[to_size(chosen.sample)];
      task_.write_training(room, place, sample, {chosen.key, batch_key});
    });
    return room;
  }

  const SampledTask& task_;
  data::DataOrder order_;
  Key batch_key_;
  torch::Device device_;
  std::optional<data::Prefetcher<Batch>> ahead_;  // last: what is under way ends first
};

void SampledTask::set_samples(Samples samples) {
  samples_ = std::move(samples);
  probe_checksum_ = checksum();
}

std::unique_ptr<BatchSource> SampledTask::batches(std::int64_t dataset_seed, std::int64_t batch_size,
                                                  torch::Device device) const {
  static_cast<void>(steps_per_epoch(batch_size));  // InputError if the batch is too large
  return std::make_unique<Batches>(*this, dataset_seed, batch_size, device);
}

Batch SampledTask::to_device(Batch batch, torch::Device device) const {
  // PyTorch's allocator takes pinned memory back only after the copy has been made.
  if (!device.is_cpu())
    for (Tensor* tensor : {&batch.inputs, &batch.targets})
      if (tensor->defined()) *tensor = tensor->to(device, /*non_blocking=*/true);
  return finish(std::move(batch));
}

template <class Write>
void SampledTask::write_samples(std::int64_t begin, std::int64_t end, const Write& write) const {
  data::parallel_for(end - begin, std::max(1, samples_.workers), [&](std::int64_t place) {
    write(place, samples_.split.validation[to_size(begin + place)]);
  });
}

Batch SampledTask::validation(std::int64_t begin, std::int64_t end, torch::Device device) const {
  TORCH_CHECK_INDEX(0 <= begin && begin <= end && end <= validation_samples(), "validation samples [", begin,
                    ", ", end, ") of ", validation_samples());
  Batch room = make_room(end - begin, device);
  write_samples(begin, end,
                [&](std::int64_t place, std::int64_t sample) { write_validation(room, place, sample); });
  return to_device(std::move(room), device);
}

Batch SampledTask::host_probe(std::int64_t begin, std::int64_t end, torch::Device device) const {
  Batch room = make_probe_room(end - begin, device);
  write_samples(begin, end,
                [&](std::int64_t place, std::int64_t sample) { write_probe(room, place, sample); });
  return room;
}

Tensor SampledTask::probe(std::int64_t begin, std::int64_t end, torch::Device device) const {
  TORCH_CHECK_INDEX(0 <= begin && begin <= end && end <= probe_size(), "probe stimuli [", begin, ", ", end,
                    ") of ", probe_size());
  return to_device(host_probe(begin, end, device), device).inputs;
}

std::string SampledTask::checksum() const {
  constexpr std::int64_t chunk = 64;
  Sha256 hash;
  for (std::int64_t begin = 0; begin < probe_size(); begin += chunk) {
    Tensor inputs = host_probe(begin, std::min(begin + chunk, probe_size()), torch::kCPU).inputs;
    if (inputs.dim() == 4) inputs = inputs.permute({0, 2, 3, 1});  // images are channels-last in memory
    inputs = inputs.contiguous();
    if (begin == 0)
      hash.update(fmt::format("{} {}\n", probe_size(), fmt::join(inputs.sizes().slice(1), " ")));
    hash.update({static_cast<const char*>(inputs.const_data_ptr()), inputs.nbytes()});
  }
  return hash.hex();
}

}  // namespace lrid::tasks
