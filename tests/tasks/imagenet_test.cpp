#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/tasks/task.hpp>

#include "data/pictures.hpp"
#include "load_task.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

using ::testing::HasSubstr;
using testing::input_error;
using testing::TemporaryFolder;

std::unique_ptr<Task> load_imagenet(const std::filesystem::path& folder, const std::string& toml,
                                    const std::string& architecture = "AlexNet") {
  return testing::load_task("imagenet", architecture, folder, toml);
}

class ImagenetTask : public ::testing::Test {
 protected:
  ImagenetTask() {
    const std::vector<data::ImageShape> shapes{{60, 80, 3}, {90, 40, 3}, {50, 50, 1}};
    for (int i = 0; i < 24; ++i)
      testing::write_file(
          folder_ / (i < 18 ? "train" : "val") / (i % 2 == 0 ? "a" : "b") / fmt::format("{}.jpg", i),
          testing::encode_jpeg(
              testing::random_image(shapes[static_cast<std::size_t>(i % 3)], static_cast<std::uint64_t>(i))));
  }
  const TemporaryFolder folder_;
};

TEST_F(ImagenetTask, PreparesForTheArchitecture) {
  EXPECT_EQ(load_imagenet(folder_.path(), "")->shape().height, 224);
  EXPECT_EQ(load_imagenet(folder_.path(), "", "ResNet-34v2")->shape().height, 299);
  EXPECT_EQ(load_imagenet(folder_.path(), "", "ResNet-34v2")->shape().outputs, 2);
  EXPECT_EQ(load_imagenet(folder_.path(), "data.preparation = \"resnet\"", "ResNet-34v2")->shape().height,
            224);
  EXPECT_EQ(load_imagenet(folder_.path(), "data.size = 64")->shape().height, 64);
}

TEST_F(ImagenetTask, WorkersChangeNothing) {
  const auto one = load_imagenet(folder_.path(), "data.size = 32\ncompute.workers = 1");
  const auto many = load_imagenet(folder_.path(), "data.size = 32\ncompute.workers = 5");
  const auto a = one->batches(4, 6, torch::kCPU), b = many->batches(4, 6, torch::kCPU);
  for (const std::int64_t step : {0, 1, 2, 3, 9, 2}) {
    const Batch x = a->batch(step), y = b->batch(step);
    EXPECT_TRUE(x.inputs.equal(y.inputs) && x.targets.equal(y.targets)) << step;
  }
  EXPECT_EQ(one->probe_checksum(), many->probe_checksum());
  EXPECT_TRUE(one->probe(1, 4, torch::kCPU).equal(many->validation(1, 4, torch::kCPU).inputs));
}

TEST_F(ImagenetTask, ADamagedImageIsNamedBeforeTraining) {
  testing::write_file(folder_ / "train/a/0.jpg", "\xFF\xD8\xFF, and no more");
  EXPECT_THAT(input_error([&] { load_imagenet(folder_.path(), "data.size = 32"); }),
              HasSubstr("train/a/0.jpg: broken JPEG"));
  EXPECT_EQ(load_imagenet(folder_.path(), "data.size = 32\ndata.skip_bad = true")->training_samples(), 17);
}

}  // namespace
}  // namespace lrid::tasks
