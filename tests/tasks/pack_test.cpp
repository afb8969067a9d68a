#include <gtest/gtest.h>
#include <torch/torch.h>

#include <lrid/data/pack.hpp>
#include <lrid/tasks/task.hpp>

#include "data/pictures.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

Batch first_batch(const std::filesystem::path& data, const std::string& task) {
  Options options(Config::from_toml("[data]\nsize = 32\n", "test"));
  const auto made = tasks().at(task).make(options, "ResNet-18");
  made->load(data, 1);
  return made->batches(3, 8, torch::kCPU)->batch(1);
}

TEST(PackTask, TrainingFromAPackGivesTheBitsOfTheFolder) {
  const testing::TemporaryFolder folder;
  const auto photos = folder / "photos", file = folder / "photos.pack";
  testing::write_image_folder(testing::random_dataset(16, 8, 2, {40, 60, 3}), photos);
  data::write_pack(photos, file, {}, 1);
  for (const char* task : {"imagenet", "simclr"}) {
    const Batch from_folder = first_batch(photos, task), from_pack = first_batch(file, task);
    EXPECT_TRUE(from_folder.inputs.equal(from_pack.inputs)) << task;
    EXPECT_EQ(from_folder.targets.sizes(), from_pack.targets.sizes());
  }
  EXPECT_TRUE(first_batch(photos, "imagenet").targets.equal(first_batch(file, "imagenet").targets));
}

}  // namespace
}  // namespace lrid::tasks
