#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/tasks/task.hpp>

#include "data/pictures.hpp"
#include "load_task.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

using testing::TemporaryFolder;

std::unique_ptr<Task> load_simclr(const std::filesystem::path& folder, const std::string& toml) {
  return testing::load_task("simclr", "ResNet-18", folder, toml);
}

std::unique_ptr<Task> load_simclr_sample(const std::string& more = "") {
  return load_simclr(testing::source_dir() / "data",
                     "data.folder = \"cifar10-sample\"\ndata.size = 32\n" + more);
}

TEST(SimclrTask, TwoViewsOfEachSample) {
  const auto task = load_simclr_sample();
  EXPECT_TRUE(task->shape().contrastive);
  EXPECT_EQ(task->shape().height, 32);
  const Batch batch = task->batches(0, 16, torch::kCPU)->batch(0);
  ASSERT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{32, 3, 32, 32}));
  EXPECT_TRUE(batch.inputs.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_GE(batch.inputs.min().item<float>(), 0);
  EXPECT_LE(batch.inputs.max().item<float>(), 1);
  EXPECT_FALSE(batch.inputs[0].equal(batch.inputs[16]));
  EXPECT_FALSE(batch.inputs[0].equal(batch.inputs[1]));
  EXPECT_EQ(tasks().at("simclr").own_weight_decay, 1e-6);
}

TEST(SimclrTask, BatchesAreAFunctionOfSeedAndStep) {
  const auto task = load_simclr_sample("compute.workers = 1"),
             other = load_simclr_sample("compute.workers = 3");
  const auto a = task->batches(5, 8, torch::kCPU), b = other->batches(5, 8, torch::kCPU);
  const Batch third = a->batch(3);
  EXPECT_TRUE(b->batch(3).inputs.equal(third.inputs));
  EXPECT_FALSE(b->batch(4).inputs.equal(third.inputs));
  EXPECT_TRUE(a->batch(3).inputs.equal(third.inputs));
  EXPECT_FALSE(task->batches(6, 8, torch::kCPU)->batch(3).inputs.equal(third.inputs));
}

TEST(SimclrTask, TheProbeHoldsImagesAndValidationFixedViews) {
  const auto task = load_simclr_sample("[probe]\nsize = 20\n");
  EXPECT_EQ(task->probe(0, 20, torch::kCPU).sizes(), (std::vector<std::int64_t>{20, 3, 32, 32}));
  const Batch views = task->validation(4, 10, torch::kCPU);
  EXPECT_EQ(views.inputs.size(0), 12);
  EXPECT_TRUE(task->validation(4, 10, torch::kCPU).inputs.equal(views.inputs));
  EXPECT_TRUE(task->validation(5, 10, torch::kCPU).inputs[0].equal(views.inputs[1])) << "sample by sample";
  EXPECT_NE(load_simclr_sample("[probe]\nsize = 20\nseed = 1\n")->probe_checksum(), task->probe_checksum());
  EXPECT_EQ(load_simclr_sample("[probe]\nsize = 20\n[augmentation]\njitter = 0.5\n")->probe_checksum(),
            task->probe_checksum());
}

TEST(SimclrTask, TheLossIsNtXentWithItsOptions) {
  const auto task = load_simclr_sample("[contrastive]\ntemperature = 1.0\n");
  Tensor h = torch::empty({6, 4}, torch::kFloat64);
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 4; ++j) h[i][j] = std::sin(1 + 1.7 * i + 0.9 * j * j);
  EXPECT_NEAR(task->loss(h, {}).loss.item<double>(), 2.443523181, 5e-10);
  EXPECT_NEAR(load_simclr_sample()->loss(h, {}).loss.item<double>(), 6.729874843, 5e-10);
  EXPECT_EQ(load_simclr_sample("[contrastive]\nshards = 8\n")->loss(h, {}).loss.item<double>(), 0);
  EXPECT_THAT(task->more_metrics(), ::testing::ElementsAre("contrastive_accuracy"));
}

TEST(SimclrTask, Cifar10Binary) {
  const TemporaryFolder folder;
  const data::ImageDataset data = testing::random_dataset(40, 10, 10, {32, 32, 3});
  testing::write_cifar10_batch(data, 0, 40, folder / "data_batch_1.bin");
  testing::write_cifar10_batch(data, 40, 50, folder / "test_batch.bin");
  const auto task = load_simclr(folder.path(), "");
  EXPECT_EQ(task->dataset_name(), "cifar10");
  EXPECT_EQ(task->shape().height, 32);
  EXPECT_EQ(task->training_samples(), 40);
  EXPECT_EQ(task->batches(0, 4, torch::kCPU)->batch(0).inputs.size(0), 8);
}

}  // namespace
}  // namespace lrid::tasks
