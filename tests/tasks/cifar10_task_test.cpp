#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/core/file.hpp>
#include <lrid/tasks/task.hpp>

#include "data/pictures.hpp"
#include "load_task.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::input_error;
using testing::TemporaryFolder;

std::unique_ptr<Task> load_cifar10(const std::filesystem::path& data_dir, const std::string& toml = "",
                                   int threads = 2) {
  return testing::load_task("cifar10", "KNet4", data_dir, toml, threads);
}

const std::string sample_folder = "[data]\nfolder = \"cifar10-sample\"\n";

std::unique_ptr<Task> load_cifar10_sample(const std::string& more = "", int threads = 2) {
  return load_cifar10(testing::source_dir() / "data", sample_folder + more, threads);
}

bool same(const Batch& a, const Batch& b) {
  return a.inputs.equal(b.inputs) && a.targets.equal(b.targets);
}

TEST(Cifar10Task, IsRegistered) {
  EXPECT_THAT(tasks().names(), ElementsAre("cifar10", "imagenet", "simclr", "wsn"));
  EXPECT_THAT(datasets().names(), ElementsAre("cifar10-binary", "image-folder", "pack", "sound-manifests"));
}

TEST(Cifar10Task, DescribesItsData) {
  const auto task = load_cifar10_sample();
  EXPECT_EQ(task->dataset_name(), "cifar10-sample");
  EXPECT_EQ(task->training_samples(), 2500);
  EXPECT_EQ(task->validation_samples(), 500);
  EXPECT_EQ(task->probe_size(), 500);
  EXPECT_EQ(task->shape().channels, 3);
  EXPECT_EQ(task->shape().height, 32);
  EXPECT_EQ(task->shape().width, 32);
  EXPECT_EQ(task->shape().outputs, 10);
  EXPECT_FALSE(task->shape().contrastive);
  EXPECT_GE(task->bytes(), 3000 * 3072);
  EXPECT_EQ(task->steps_per_epoch(128), 19);
  EXPECT_EQ(task->steps_per_epoch(2500), 1);
}

TEST(Cifar10Task, BatchesAreChannelsLastFloats) {
  const auto task = load_cifar10_sample();
  const Batch batch = task->batches(0, 16, torch::kCPU)->batch(0);
  EXPECT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{16, 3, 32, 32}));
  EXPECT_EQ(batch.inputs.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(batch.inputs.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(batch.targets.sizes(), (std::vector<std::int64_t>{16}));
  EXPECT_EQ(batch.targets.scalar_type(), torch::kInt64);
}

TEST(Cifar10Task, BatchesAreAFunctionOfSeedAndStep) {
  const auto task = load_cifar10_sample();
  const auto forward = task->batches(5, 64, torch::kCPU);
  std::vector<Batch> batches;
  for (std::int64_t step = 0; step < 80; ++step) batches.push_back(forward->batch(step));
  const auto reloaded = load_cifar10_sample("", 1);
  const auto backward = reloaded->batches(5, 64, torch::kCPU);
  for (std::int64_t step = 79; step >= 0; --step)
    EXPECT_TRUE(same(backward->batch(step), batches[static_cast<std::size_t>(step)])) << step;
  EXPECT_FALSE(same(task->batches(6, 64, torch::kCPU)->batch(0), batches[0]));
}

TEST(Cifar10Task, SourcesInSeveralThreadsAgree) {
  const auto task = load_cifar10_sample();
  const Batch expected = task->batches(1, 128, torch::kCPU)->batch(33);
  std::vector<Batch> got(4);
  {
    std::vector<std::jthread> threads;
    for (Batch& batch : got)
      threads.emplace_back([&] { batch = task->batches(1, 128, torch::kCPU)->batch(33); });
  }
  for (const Batch& batch : got) EXPECT_TRUE(same(batch, expected));
}

TEST(Cifar10Task, WithoutAugmentationAnEpochIsTheTrainingSet) {
  const TemporaryFolder folder;
  const data::ImageDataset data = testing::random_dataset(40, 10, 4, {6, 6, 3});
  testing::write_image_folder(data, folder.path());
  const auto task = load_cifar10(folder.path(), "data.normalize = \"none\"\naugmentation.enabled = false");
  const auto source = task->batches(0, 8, torch::kCPU);
  std::vector<int> seen(40);
  for (std::int64_t step = 0; step < 5; ++step) {
    const Batch batch = source->batch(step);
    const Tensor bytes = batch.inputs.permute({0, 2, 3, 1}).contiguous();
    for (std::int64_t i = 0; i < 8; ++i) {
      const Tensor picture = bytes[i];
      for (std::size_t n = 0; n < 40; ++n)
        if (std::equal(data.images[n].bytes.begin(), data.images[n].bytes.end(),
                       picture.const_data_ptr<float>())) {
          ++seen[n];
          EXPECT_EQ(batch.targets[i].item<std::int64_t>(), data.labels[n]);
        }
    }
  }
  for (const int times : seen) EXPECT_EQ(times, 1);
}

TEST(Cifar10Task, TheMeanImageIsTakenAway) {
  const auto task = load_cifar10_sample("validation_fraction = 0.2\n[augmentation]\nenabled = false\n");
  const Tensor inputs = task->batches(0, 2500, torch::kCPU)->batch(0).inputs;
  EXPECT_LT(inputs.mean({0}).abs().max().item<double>(), 1e-3);
  EXPECT_GT(inputs.std().item<double>(), 50) << "on the scale of bytes";
  const Tensor small = load_cifar10_sample("white = 1\n[augmentation]\nenabled = false\n")
                           ->batches(0, 2500, torch::kCPU)
                           ->batch(0)
                           .inputs;
  EXPECT_LT((small * 255 - inputs).abs().max().item<double>(), 1e-3);
}

TEST(Cifar10Task, TheProbeIsTheHeadOfTheValidationData) {
  const auto task = load_cifar10_sample("[probe]\nsize = 100\n");
  EXPECT_EQ(task->probe_size(), 100);
  EXPECT_EQ(task->validation_samples(), 500);
  EXPECT_TRUE(task->probe(0, 100, torch::kCPU).equal(task->validation(0, 100, torch::kCPU).inputs));
  EXPECT_TRUE(task->probe(30, 50, torch::kCPU).equal(task->validation(30, 50, torch::kCPU).inputs));
  EXPECT_EQ(task->validation(500, 500, torch::kCPU).inputs.size(0), 0);
  EXPECT_THROW(static_cast<void>(task->probe(50, 101, torch::kCPU)), c10::IndexError);
  EXPECT_THROW(static_cast<void>(task->validation(0, 501, torch::kCPU)), c10::IndexError);
  // A fair sample of the classes, not the first of them: 50 of each in all.
  const Tensor counts = task->validation(0, 100, torch::kCPU).targets.bincount({}, 10);
  EXPECT_GE(counts.min().item<std::int64_t>(), 1);
}

TEST(Cifar10Task, TheChecksumFollowsInputsAndOrder) {
  const auto task = load_cifar10_sample();
  const std::string sum = task->probe_checksum();
  const Tensor values = task->probe(0, 500, torch::kCPU).permute({0, 2, 3, 1}).contiguous();
  EXPECT_EQ(sum, sha256("500 32 32 3\n" + std::string(static_cast<const char*>(values.const_data_ptr()),
                                                      static_cast<std::size_t>(values.nbytes()))));
  // Batches, threads and augmentation leave the probe alone.
  EXPECT_EQ(load_cifar10_sample("[augmentation]\npad = 2\n", 1)->probe_checksum(), sum);
  EXPECT_NE(load_cifar10_sample("[probe]\nseed = 1\n")->probe_checksum(), sum);
  EXPECT_NE(load_cifar10_sample("[probe]\nsize = 499\n")->probe_checksum(), sum);
  EXPECT_NE(load_cifar10_sample("normalize = \"mean-sd\"\n")->probe_checksum(), sum);
}

TEST(Cifar10Task, AnyShapeAndNumberOfClasses) {
  const TemporaryFolder folder;
  testing::write_image_folder(testing::random_dataset(33, 6, 3, {5, 9, 1}), folder.path());
  const auto task = load_cifar10(folder.path());
  EXPECT_EQ(task->shape().channels, 1);
  EXPECT_EQ(task->shape().height, 5);
  EXPECT_EQ(task->shape().width, 9);
  EXPECT_EQ(task->shape().outputs, 3);
  EXPECT_EQ(task->batches(0, 33, torch::kCPU)->batch(2).inputs.sizes(),
            (std::vector<std::int64_t>{33, 1, 5, 9}));
  EXPECT_EQ(load_cifar10(folder.path(), "augmentation.crop = 4")->shape().width, 4);
}

TEST(Cifar10Task, BadOptionsAreNamed) {
  EXPECT_THAT(input_error([] { static_cast<void>(load_cifar10_sample()->steps_per_epoch(2501)); }),
              HasSubstr("batch_size = 2501: the training set has 2500 samples"));
  EXPECT_THAT(input_error([] { static_cast<void>(load_cifar10_sample()->batches(0, 2501, torch::kCPU)); }),
              HasSubstr("batch_size = 2501"));
  EXPECT_THAT(input_error([] { load_cifar10_sample("training_samples = 2501\n"); }),
              HasSubstr("data.training_samples"));
  EXPECT_THAT(input_error([] { load_cifar10_sample("[augmentation]\ncrop = 33\n"); }),
              HasSubstr("augmentation.crop = 33"));
  EXPECT_THAT(input_error([] { load_cifar10_sample("normalize = \"zca\"\n"); }), HasSubstr("data.normalize"));
  EXPECT_THAT(input_error([] { load_cifar10_sample("validation_fraction = 0\n"); }),
              HasSubstr("data.validation_fraction"));
  EXPECT_THAT(input_error([] { load_cifar10(testing::source_dir() / "data", "data.folder = \"nowhere\""); }),
              HasSubstr("nowhere: no such folder"));
}

TEST(Cifar10Task, LossIsTheMeanCrossEntropy) {
  const auto task = load_cifar10_sample();
  const Tensor targets = torch::arange(10) % 4;
  for (const auto type : {torch::kFloat64, torch::kFloat32, torch::kBFloat16}) {
    const Tensor outputs = at::randn({10, 4}, torch::kFloat64).to(type).requires_grad_();
    const LossValue value = task->loss(outputs, targets);
    const Tensor exact = outputs.detach().to(torch::kFloat64);
    double sum = 0, correct = 0;
    for (std::int64_t i = 0; i < 10; ++i) {
      sum -= at::log_softmax(exact[i], 0)[targets[i].item<std::int64_t>()].item<double>();
      correct += exact[i].argmax().item<std::int64_t>() == targets[i].item<std::int64_t>() ? 1 : 0;
    }
    EXPECT_NEAR(value.loss.item<double>(), sum / 10, type == torch::kFloat64 ? 1e-14 : 1e-6);
    EXPECT_EQ(value.loss.scalar_type(), type == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32);
    EXPECT_EQ(value.correct.item<double>(), correct);
    EXPECT_EQ(value.correct.scalar_type(), torch::kFloat32);
    value.loss.backward();
    const Tensor expected = (at::softmax(exact, 1) - at::one_hot(targets, 4)) / 10;
    EXPECT_LT((outputs.grad().to(torch::kFloat64) - expected).abs().max().item<double>(),
              type == torch::kFloat64   ? 1e-14
              : type == torch::kFloat32 ? 1e-6
                                        : 1e-3);
  }
}

TEST(Cifar10Task, OfEqualOutputsTheFirstCounts) {
  const auto task = load_cifar10_sample();
  const Tensor outputs = torch::zeros({3, 4});
  EXPECT_EQ(task->loss(outputs, torch::tensor({0, 1, 0}, torch::kInt64)).correct.item<float>(), 2);
}

}  // namespace
}  // namespace lrid::tasks
