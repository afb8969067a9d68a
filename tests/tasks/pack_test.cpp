#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/data/pack.hpp>
#include <lrid/tasks/task.hpp>

#include "data/pictures.hpp"
#include "load_task.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

Batch first_batch(const std::filesystem::path& data, const std::string& task) {
  return testing::load_task(task, "ResNet-18", data, "[data]\nsize = 32\n", 1)
      ->batches(3, 8, torch::kCPU)
      ->batch(1);
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
