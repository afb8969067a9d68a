// Batches as a GPU makes them: its kernel's grid on the host, in loops, against what the host writes; and
// where there is a GPU, that against the host, too.
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <lrid/data/crop_flip.hpp>

#include "data/pictures.hpp"
#include "data/window_pass.hpp"
#include "load_task.hpp"
#include "tasks/supervised_task.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

namespace device = data::device;
using testing::random_dataset;

/// Emulates the kernel on the host, with blocks and threads in an unusual order.
Tensor emulate(const data::ImageDataset& data, const data::Normalization& normalization,
               const data::ImageShape& window, const Tensor& windows) {
  const data::ImageShape& shape = data.shape();
  std::vector<std::uint8_t> bytes;
  for (const data::Image& image : data.images)
    bytes.insert(bytes.end(), image.bytes.begin(), image.bytes.end());
  Tensor out = at::full({windows.size(0), window.channels, window.height, window.width}, NAN, torch::kFloat32)
                   .contiguous(at::MemoryFormat::ChannelsLast);
  const auto size = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
  const device::WindowBatch batch{bytes.data(),
                                  normalization.offset.data(),
                                  normalization.factor.data(),
                                  static_cast<const data::Window*>(windows.const_data_ptr()),
                                  out.mutable_data_ptr<float>(),
                                  windows.size(0),
                                  size(shape.height),
                                  size(shape.width),
                                  size(shape.channels),
                                  size(window.height),
                                  size(window.width)};
  for (std::uint32_t thread = device::block_threads; thread-- > 0;)
    for (std::uint32_t block = device::blocks_of_window(batch); block-- > 0;)
      for (std::int64_t sample = batch.samples; sample-- > 0;)
        device::write_windows(batch, sample, block, thread);
  return out;
}

/// Equal bits; of numbers alone, 0 and −0 would be the same.
bool same_bits(const Tensor& a, const Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() &&
         std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

struct Case {
  std::string name;
  data::ImageShape shape;
  data::CropFlipOptions options;
  std::string normalization;
};

void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.name;
}

class DeviceWindows : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr std::int64_t count = 12;

  DeviceWindows() {
    std::vector<std::int64_t> all(count);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    normalization =
        data::fit_normalization(data->images, all, {.kind = GetParam().normalization, .white = 1});
    crop.emplace(data, normalization, GetParam().options);
  }
  /// One image after the other, as write(image, out) and window(image) say.
  void expect_same(const std::function<void(std::int64_t, float*)>& write,
                   const std::function<data::Window(std::int64_t)>& window) const {
    const data::ImageShape out = crop->shape();
    const Tensor images = at::full({count, out.channels, out.height, out.width}, NAN, torch::kFloat32)
                              .contiguous(at::MemoryFormat::ChannelsLast);
    const Tensor windows = at::empty({count, data::Window::numbers}, torch::kInt32);
    for (std::int64_t i = 0; i < count; ++i) {
      write(i, images.mutable_data_ptr<float>() + i * out.values());
      const data::Window w = window(i);
      std::memcpy(windows.mutable_data_ptr<std::int32_t>() + i * data::Window::numbers, &w, sizeof w);
    }
    EXPECT_TRUE(same_bits(emulate(*data, normalization, out, windows), images));
  }

  std::shared_ptr<const data::ImageDataset> data =
      std::make_shared<const data::ImageDataset>(random_dataset(count, 0, 2, GetParam().shape));
  data::Normalization normalization;
  std::optional<data::CropFlip> crop;
};

TEST_P(DeviceWindows, TrainingImagesAreTheHosts) {
  for (std::uint64_t draw = 0; draw < 40; ++draw) {
    const auto key = [&](std::int64_t image) {
      return Key(draw, "draw", {static_cast<std::uint64_t>(image)});
    };
    expect_same([&](std::int64_t i, float* out) { crop->write_training(i, key(i), out); },
                [&](std::int64_t i) { return crop->training_window(i, key(i)); });
  }
}

TEST_P(DeviceWindows, EvaluationImagesAreTheHosts) {
  expect_same([&](std::int64_t i, float* out) { crop->write_evaluation(i, out); },
              [&](std::int64_t i) { return crop->evaluation_window(i); });
}

TEST_P(DeviceWindows, WindowsAreTheChoices) {
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    const data::Window window = crop->training_window(7, Key(draw));
    data::CropFlipChoice choice = crop->choose(Key(draw));
    if (!GetParam().options.enabled)
      choice = {(data->shape().height - crop->shape().height) / 2,
                (data->shape().width - crop->shape().width) / 2, false};
    EXPECT_EQ(window.image, 7);
    EXPECT_EQ(window.top, choice.top);
    EXPECT_EQ(window.left, choice.left);
    EXPECT_EQ(window.flip, choice.flip ? 1 : 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeviceWindows,
                         ::testing::Values(Case{"usual", {32, 32, 3}, {}, "mean-image"},
                                           Case{"crop24", {32, 32, 3}, {.crop = 24}, "mean-sd"},
                                           Case{"no_pad", {32, 32, 3}, {.pad = 0}, "mean-image"},
                                           Case{"grey", {28, 28, 1}, {}, "mean-sd"},
                                           Case{
                                               "no_flip", {9, 6, 3}, {.pad = 2, .flip = false}, "mean-image"},
                                           Case{"off", {7, 5, 1}, {.enabled = false, .crop = 4}, "none"},
                                           Case{"misses_the_image", {6, 9, 3}, {.pad = 12}, "mean-image"},
                                           Case{"one_pixel", {1, 1, 1}, {.pad = 1}, "none"}),
                         [](const auto& tested) { return tested.param.name; });

/// An image larger than the grid of one row of blocks may be: threads write more than one value.
TEST(DeviceImages, AGridHasNoMoreBlocksThanCudaAllows) {
  const data::ImageShape shape{1, 65536 * device::block_threads + 300, 1};
  const data::ImageDataset data = random_dataset(1, 0, 1, shape);
  const data::Normalization plain{std::vector<float>(static_cast<std::size_t>(shape.values()), 0.0F),
                                  std::vector<float>(static_cast<std::size_t>(shape.values()), 1.0F)};
  const Tensor out = emulate(data, plain, shape, at::zeros({1, data::Window::numbers}, torch::kInt32));
  EXPECT_TRUE(
      std::equal(data.images[0].bytes.begin(), data.images[0].bytes.end(), out.const_data_ptr<float>()));
}

TEST(DeviceImages, OnTheHostNothingFits) {
  const auto data = std::make_shared<const data::ImageDataset>(random_dataset(1, 0, 1, {2, 2, 1}));
  EXPECT_FALSE(data::CropFlip(data, {}, {}).fits(torch::kCPU));
}

/// A preparation whose form for GPUs is at home on the host.
class Emulated : public data::Preparation, public data::DeviceForm {
 public:
  Emulated(std::shared_ptr<const data::ImageDataset> data, data::Normalization normalization)
      : data_(std::move(data)), normalization_(std::move(normalization)), crop_(data_, normalization_, {}) {}
  [[nodiscard]] data::ImageShape shape() const override { return crop_.shape(); }
  void write_training(std::int64_t image, Key key, float* out) const override {
    crop_.write_training(image, key, out);
  }
  void write_evaluation(std::int64_t image, float* out) const override { crop_.write_evaluation(image, out); }
  [[nodiscard]] const data::DeviceForm* device_form() const override { return this; }
  [[nodiscard]] bool fits(torch::Device /*device*/) const override { return in_use; }
  [[nodiscard]] data::Window training_window(std::int64_t image, Key key) const override {
    return crop_.training_window(image, key);
  }
  [[nodiscard]] data::Window evaluation_window(std::int64_t image) const override {
    return crop_.evaluation_window(image);
  }
  [[nodiscard]] Tensor make(const Tensor& windows) const override {
    ++made;
    EXPECT_EQ(windows.sizes(), (std::vector<std::int64_t>{windows.size(0), data::Window::numbers}));
    return emulate(*data_, normalization_, crop_.shape(), windows);
  }

  bool in_use = false;
  mutable int made = 0;

 private:
  std::shared_ptr<const data::ImageDataset> data_;
  data::Normalization normalization_;
  data::CropFlip crop_;
};

/// Images of 8 × 6 in 3 classes, 40 of them for training.
class EmulatedTask : public SupervisedTask {
 public:
  EmulatedTask() {
    const auto data = std::make_shared<const data::ImageDataset>(random_dataset(40, 20, 3, {8, 6, 3}));
    const data::Split split = data::make_split(data->labels, data->training_images, {});
    preparation = std::make_shared<Emulated>(data, data::fit_normalization(data->images, split.training, {}));
    set_images({.classes = 3, .labels = data->labels, .preparation = preparation},
               {.dataset = data->name, .split = split, .bytes = data->bytes()});
  }
  void load(const std::filesystem::path& /*data_dir*/, int /*threads*/) override {}

  std::shared_ptr<Emulated> preparation;
};

TEST(DeviceImages, ATasksBatchesAreTheSameWithAndWithout) {
  EmulatedTask task;
  const auto all = [&] {
    std::vector<Batch> batches;
    const auto source = task.batches(3, 16, torch::kCPU);
    for (std::int64_t step = 0; step < 8; ++step) batches.push_back(source->batch(step));
    batches.push_back(task.validation(0, 20, torch::kCPU));
    batches.push_back({task.probe(5, 15, torch::kCPU), at::zeros({1})});
    return batches;
  };
  const std::vector<Batch> written = all();
  EXPECT_EQ(task.preparation->made, 0);
  task.preparation->in_use = true;
  const std::vector<Batch> made = all();
  EXPECT_EQ(task.preparation->made, 10);
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_TRUE(same_bits(made[i].inputs, written[i].inputs)) << i;
    EXPECT_TRUE(made[i].targets.equal(written[i].targets)) << i;
  }
}

TEST(DeviceImages, OnAGpuBatchesAreTheHosts) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here";
  const torch::Device gpu(torch::kCUDA, 0);
  for (const std::string toml : {"", "normalize = \"mean-sd\"\n[augmentation]\ncrop = 24\n"}) {
    const std::unique_ptr<Task> task = testing::load_task("cifar10", "KNet4", testing::source_dir() / "data",
                                                          "[data]\nfolder = \"cifar10-sample\"\n" + toml);
    const auto expect_same = [](const Batch& there, const Batch& here) {
      EXPECT_TRUE(there.inputs.is_cuda() && there.targets.is_cuda());
      EXPECT_TRUE(same_bits(there.inputs.cpu(), here.inputs));
      EXPECT_TRUE(there.targets.cpu().equal(here.targets));
    };
    const auto there = task->batches(5, 128, gpu), here = task->batches(5, 128, torch::kCPU);
    for (std::int64_t step = 0; step < 40; ++step) expect_same(there->batch(step), here->batch(step));
    expect_same(task->validation(0, 500, gpu), task->validation(0, 500, torch::kCPU));
    expect_same(task->validation(500, 500, gpu), task->validation(500, 500, torch::kCPU));
    EXPECT_TRUE(same_bits(task->probe(3, 70, gpu).cpu(), task->probe(3, 70, torch::kCPU)));
  }
}

/// That the test before is of the kernel, and not of copies from the host.
TEST(DeviceImages, AGpuHoldsASmallDataSet) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here";
  const auto data = std::make_shared<const data::ImageDataset>(random_dataset(2, 0, 1, {4, 4, 3}));
  const data::Normalization plain{std::vector<float>(48, 0.0F), std::vector<float>(48, 1.0F)};
  const data::CropFlip crop(data, plain, {});
  if (!crop.fits({torch::kCUDA, 0})) GTEST_SKIP() << "this program was built without kernels for CUDA";
  const Tensor windows = torch::tensor({{1, -2, 1, 1}, {0, 0, 0, 0}}, torch::kInt32);
  EXPECT_TRUE(same_bits(crop.make(windows.to(torch::Device(torch::kCUDA, 0))).cpu(),
                        emulate(*data, plain, data->shape(), windows)));
}

}  // namespace
}  // namespace lrid::tasks
