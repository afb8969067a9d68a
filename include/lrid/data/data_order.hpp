#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <lrid/core/random.hpp>

namespace lrid::data {

/// Which sample stands where in training: every epoch is a keyed permutation of all samples, cut into
/// batches; what does not fill a batch is dropped (other samples in each epoch). A pure function of (dataset
/// seed, step): the object only remembers the permutations it used last. Thread-safe.
class DataOrder {
 public:
  /// One place of a batch: a sample 0 … samples−1, and the key of every random choice made for it, a hash of
  /// (dataset seed, epoch, position in the epoch).
  struct Place {
    std::int64_t sample;
    Key key;
  };

  /// 1 ≤ batch_size ≤ samples.
  DataOrder(std::int64_t samples, std::int64_t batch_size, std::int64_t dataset_seed);

  [[nodiscard]] std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  /// The batch_size places of training step `step` ≥ 0.
  [[nodiscard]] std::vector<Place> batch(std::int64_t step) const;

 private:
  using Permutation = std::shared_ptr<const std::vector<std::int64_t>>;
  [[nodiscard]] Permutation epoch_order(std::int64_t epoch) const;

  std::int64_t samples_, batch_size_, steps_per_epoch_;
  std::uint64_t dataset_seed_;
  struct Remembered {
    std::int64_t epoch = -1;
    Permutation order;
  };
  mutable std::mutex mutex_;
  mutable Remembered remembered_[2];  // two: threads that run ahead reach the next epoch first
};

}  // namespace lrid::data
