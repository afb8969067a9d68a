#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <lrid/core/random.hpp>
#include <lrid/data/split.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::tasks {

/// A task whose batches are written on the host, sample by sample: in what order, on which threads and for
/// which probe set is said here. A derived class says in load() what samples there are, and how one is
/// written.
class SampledTask : public Task {
 public:
  [[nodiscard]] std::string dataset_name() const override { return samples_.dataset; }
  [[nodiscard]] std::int64_t training_samples() const override { return std::ssize(samples_.split.training); }
  [[nodiscard]] std::int64_t validation_samples() const override {
    return std::ssize(samples_.split.validation);
  }
  [[nodiscard]] std::int64_t bytes() const override { return samples_.bytes; }

  [[nodiscard]] std::unique_ptr<BatchSource> batches(std::int64_t dataset_seed, std::int64_t batch_size,
                                                     torch::Device device) const override;
  [[nodiscard]] Batch validation(std::int64_t begin, std::int64_t end, torch::Device device) const override;
  [[nodiscard]] std::int64_t probe_size() const override { return samples_.split.probe_size; }
  [[nodiscard]] Tensor probe(std::int64_t begin, std::int64_t end, torch::Device device) const override;
  [[nodiscard]] std::string probe_checksum() const override { return probe_checksum_; }

 protected:
  /// What load() finds.
  struct Samples {
    std::string dataset;
    data::Split split;
    std::int64_t bytes = 0;
    /// Threads that write a batch. Where writing is quick (0), the CPU's own training step has every core,
    /// and batches are made when asked for; a GPU always has its batches made ahead.
    int workers = 0;
  };
  /// Keys of the random choices for one sample and for its whole batch.
  struct Draw {
    Key sample, batch;
  };

  SampledTask() = default;
  /// To be called last in load().
  void set_samples(Samples samples);

  /// Room on the host for what is written of a batch that goes to `device`; pinned memory for a GPU.
  [[nodiscard]] virtual Batch make_room(std::int64_t samples, torch::Device device) const = 0;
  /// Write sample number `sample` to a place of the batch, from several threads at once.
  virtual void write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                              const Draw& draw) const = 0;
  virtual void write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const = 0;
  /// As write_validation, but for contrastive tasks, whose probe holds images and not views.
  [[nodiscard]] virtual Batch make_probe_room(std::int64_t samples, torch::Device device) const {
    return make_room(samples, device);
  }
  virtual void write_probe(const Batch& room, std::int64_t place, std::int64_t sample) const {
    write_validation(room, place, sample);
  }
  /// What is left to be done on the device, where all of the room now is, in the thread that asked for the
  /// batch.
  [[nodiscard]] virtual Batch finish(Batch batch) const { return batch; }

 private:
  class Batches;
  [[nodiscard]] Batch host_probe(std::int64_t begin, std::int64_t end, torch::Device device) const;
  [[nodiscard]] Batch to_device(Batch batch, torch::Device device) const;
  /// SHA-256 of "<samples> <sizes of one>\n" and the probe's values as they are in memory on the host.
  [[nodiscard]] std::string checksum() const;
  template <class Write>
  void write_samples(std::int64_t begin, std::int64_t end, const Write& write) const;

  Samples samples_;
  std::string probe_checksum_;
};

}  // namespace lrid::tasks
