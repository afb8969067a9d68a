#pragma once

#include <memory>
#include <string>
#include <vector>

#include <lrid/tasks/preparation.hpp>
#include <lrid/tasks/split.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::tasks {

/// Classification of images with the mean cross entropy: everything of a task but where the images come from
/// and how they are prepared, which a derived class says in load(). Batches are float32 [N, C, H, W] in
/// channels-last memory, which is what the networks run on and what the preparations write.
class SupervisedTask : public Task {
 public:
  [[nodiscard]] TaskShape shape() const override;
  [[nodiscard]] std::string dataset_name() const override { return data_.name; }
  [[nodiscard]] std::int64_t training_samples() const override { return std::ssize(data_.split.training); }
  [[nodiscard]] std::int64_t validation_samples() const override {
    return std::ssize(data_.split.validation);
  }
  [[nodiscard]] std::int64_t bytes() const override { return data_.bytes; }

  [[nodiscard]] std::unique_ptr<BatchSource> batches(std::int64_t dataset_seed, std::int64_t batch_size,
                                                     torch::Device device) const override;
  [[nodiscard]] Batch validation(std::int64_t begin, std::int64_t end, torch::Device device) const override;
  [[nodiscard]] std::int64_t probe_size() const override { return data_.split.probe_size; }
  [[nodiscard]] Tensor probe(std::int64_t begin, std::int64_t end, torch::Device device) const override;
  [[nodiscard]] std::string probe_checksum() const override { return probe_checksum_; }

  /// outputs [N, classes], targets [N] int64: the mean of −log softmax(outputs)[target], in float32 (float64
  /// for float64 outputs); correct where the first of the largest outputs is the target's.
  [[nodiscard]] LossValue loss(const Tensor& outputs, const Tensor& targets) const override;

 protected:
  struct Data {
    std::string name;
    std::int64_t classes = 0;
    std::vector<std::int64_t> labels;  ///< of every image number
    Split split;
    std::shared_ptr<const Preparation> preparation;
    std::int64_t bytes = 0;
  };
  SupervisedTask() = default;
  /// To be called by load().
  void set_data(Data data);

 private:
  [[nodiscard]] Batch evaluation(std::int64_t begin, std::int64_t end, torch::Device device) const;

  Data data_;
  std::string probe_checksum_;
};

}  // namespace lrid::tasks
