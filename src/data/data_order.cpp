#include <lrid/core/index.hpp>
#include <lrid/data/data_order.hpp>

namespace lrid::data {

DataOrder::DataOrder(std::int64_t samples, std::int64_t batch_size, std::int64_t dataset_seed)
    : samples_(samples),
      batch_size_(batch_size),
      steps_per_epoch_(samples / batch_size),
      dataset_seed_(static_cast<std::uint64_t>(dataset_seed)) {}

std::vector<DataOrder::Place> DataOrder::batch(std::int64_t step) const {
  const std::int64_t epoch = step / steps_per_epoch_;
  const std::int64_t start = step % steps_per_epoch_ * batch_size_;
  const Permutation order = epoch_order(epoch);
  const Key epoch_key(dataset_seed_, "augmentation", {static_cast<std::uint64_t>(epoch)});
  std::vector<Place> places;
  places.reserve(to_size(batch_size_));
  for (std::int64_t position = start; position < start + batch_size_; ++position)
    places.push_back({(*order)[to_size(position)], epoch_key.with(static_cast<std::uint64_t>(position))});
  return places;
}

DataOrder::Permutation DataOrder::epoch_order(std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  Remembered& remembered = remembered_[epoch % 2];
  if (remembered.epoch != epoch)
    remembered = {epoch,
                  std::make_shared<const std::vector<std::int64_t>>(permutation(
                      samples_, Key(dataset_seed_, "data order", {static_cast<std::uint64_t>(epoch)})))};
  return remembered.order;
}

}  // namespace lrid::data
