#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/types.h>

#include <lrid/core/options.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/registry.hpp>

namespace lrid::tasks {

using torch::Tensor;

/// Inputs [N, C, H, W] float32 and targets (what the task's loss takes; class numbers [N] int64 when
/// supervised), on the device. Contrastive: inputs [2N, C, H, W], views 1 of all samples before views 2.
struct Batch {
  Tensor inputs, targets;
};

/// Shape of a task's data, which a network must fit.
struct TaskShape {
  std::int64_t channels = 3, height = 32, width = 32;
  std::int64_t outputs = 10;
  bool contrastive = false;  ///< the network gets the contrastive head, and two views of each sample
};

/// A batch's loss and counts, on the device (read only for logging).
struct LossValue {
  Tensor loss;     ///< scalar, mean over the batch, differentiable
  Tensor correct;  ///< scalar float32: correctly classified samples in the batch; undefined where a task has
                   ///< none
  Tensor more{};   ///< float32 [K]: samples that count for each of the task's more_metrics()
};

/// Chooses, reads and augments training batches for one dataset seed and batch size. A batch is a pure
/// function of (dataset seed, step): any step can be asked for in any order, so a resumed run sees what an
/// uninterrupted one sees.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The batch of a training step on the device: written on the host (prefetched by worker threads) and
  /// copied, or chosen on the host and made on the device from the data that it holds, to the same bits. The
  /// task must live as long.
  virtual Batch batch(std::int64_t step) = 0;
};

/// A task: data, loss and metrics. Immutable once loaded and shared by all networks and threads of a process,
/// so decoded data are in memory once.
class Task {
 public:
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  /// Reads the data. InputError naming folder or file. `threads` for decoding.
  virtual void load(const std::filesystem::path& data_dir, int threads) = 0;

  [[nodiscard]] virtual TaskShape shape() const = 0;
  /// Name of the dataset as files record it: "cifar10", or the image folder's name.
  [[nodiscard]] virtual std::string dataset_name() const = 0;
  [[nodiscard]] virtual std::int64_t training_samples() const = 0;
  [[nodiscard]] virtual std::int64_t validation_samples() const = 0;
  /// Length of an epoch: training_samples() / batch_size, the rest dropped (a different rest in each epoch).
  /// InputError naming `batch_size` if the training set does not fill one batch.
  [[nodiscard]] std::int64_t steps_per_epoch(std::int64_t batch_size) const;
  /// Bytes of memory the loaded data take, for planning.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;

  [[nodiscard]] virtual std::unique_ptr<BatchSource> batches(std::int64_t dataset_seed,
                                                             std::int64_t batch_size,
                                                             torch::Device device) const = 0;
  /// Samples [begin, end) of the validation data, the same whenever asked for, in the keyed order whose first
  /// probe_size() samples are the probe set. But for contrastive tasks, whose validation batches are views,
  /// the inputs are those of the probe: a pass over all validation data covers it.
  [[nodiscard]] virtual Batch validation(std::int64_t begin, std::int64_t end,
                                         torch::Device device) const = 0;
  /// The probe set (observables.md): the same for every network and point of a sweep. Its size, the chunk
  /// [begin, end) of its inputs, and the SHA-256 of the input bytes and their order.
  [[nodiscard]] virtual std::int64_t probe_size() const = 0;
  [[nodiscard]] virtual Tensor probe(std::int64_t begin, std::int64_t end, torch::Device device) const = 0;
  [[nodiscard]] virtual std::string probe_checksum() const = 0;

  [[nodiscard]] virtual LossValue loss(const Tensor& outputs, const Tensor& targets) const = 0;
  /// Names, as in files, of further fractions of the validation samples that loss() counts.
  [[nodiscard]] virtual std::vector<std::string> more_metrics() const { return {}; }

 protected:
  Task() = default;
};

/// One task of the registry.
struct TaskEntry {
  std::string name, summary;
  /// Declares and reads the task's options ([data], [probe], [augmentation], ...). The architecture's name
  /// decides defaults where the study's data were prepared by it.
  std::function<std::unique_ptr<Task>(Options&, const std::string& architecture)> make;
  /// Shape of the study's data for an architecture.
  std::function<TaskShape(const std::string& architecture)> usual_shape;
  /// Weight decay in place of the architecture's.
  std::optional<double> own_weight_decay{};
};

const Registry<TaskEntry>& tasks();
/// Names that `lrid-train list datasets` prints, each with what --data-dir must hold.
struct DatasetEntry {
  std::string name, summary;
};
const Registry<DatasetEntry>& datasets();

}  // namespace lrid::tasks
