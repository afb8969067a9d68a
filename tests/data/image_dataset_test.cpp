#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <lrid/data/image_formats.hpp>

#include "pictures.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::encode_jpeg;
using testing::encode_png;
using ::testing::HasSubstr;
using testing::input_error;
using testing::random_dataset;
using testing::random_image;
using testing::TemporaryFolder;
using testing::write_cifar10_batch;
using testing::write_file;
using testing::write_image_folder;

std::string reading(const fs::path& folder, const ReadOptions& options = {}) {
  return input_error([&] { read_image_dataset(folder, options); });
}

/// train/{a,b}/{0,1}.png and test/{a,b}/0.png of 4 × 5 pixels.
void write_small_folder(const fs::path& folder) {
  for (const char* file :
       {"train/a/0.png", "train/a/1.png", "train/b/0.png", "train/b/1.png", "test/a/0.png", "test/b/0.png"})
    write_file(folder / file, encode_png(random_image({4, 5, 3}, std::hash<std::string>{}(file))));
}

TEST(ImageFolder, ReadsPngsInTheOrderOfNames) {
  const TemporaryFolder folder;
  const ImageDataset written = random_dataset(30, 9, 3, {6, 8, 3});
  write_image_folder(written, folder / "my-images");
  const ImageDataset data = read_image_dataset(folder / "my-images", {});
  EXPECT_EQ(data.name, "my-images");
  EXPECT_THAT(data.classes, ElementsAre("class00", "class01", "class02"));
  ASSERT_EQ(data.size(), 39);
  EXPECT_EQ(data.training_images, 30);
  EXPECT_EQ(data.shape(), (ImageShape{6, 8, 3}));
  // Class by class, within a class by number: image k of class c was written as number 3·k + c.
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(data.labels[i], static_cast<std::int64_t>(i / 10));
    EXPECT_EQ(data.images[i].bytes, written.images[3 * (i % 10) + i / 10].bytes);
  }
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(data.labels[30 + i], static_cast<std::int64_t>(i / 3));
    EXPECT_EQ(data.images[30 + i].bytes, written.images[30 + 3 * (i % 3) + i / 3].bytes);
  }
}

TEST(ImageFolder, ReadsTheSampleTheSameWithAnyNumberOfThreads) {
  const fs::path sample = testing::source_dir() / "data" / "cifar10-sample";
  const ImageDataset one = read_image_dataset(sample, {});
  EXPECT_EQ(one.name, "cifar10-sample");
  EXPECT_EQ(one.classes.size(), 10U);
  EXPECT_EQ(one.size(), 3000);
  EXPECT_EQ(one.training_images, 2500);
  EXPECT_EQ(one.shape(), (ImageShape{32, 32, 3}));
  const ImageDataset four = read_image_dataset(sample, {.threads = 4});
  for (std::size_t i = 0; i < one.images.size(); ++i) ASSERT_EQ(one.images[i].bytes, four.images[i].bytes);
  EXPECT_EQ(one.labels, four.labels);
}

TEST(ImageFolder, ValComesBeforeTestAndNeitherIsNeeded) {
  const TemporaryFolder folder;
  write_small_folder(folder.path());
  EXPECT_EQ(read_image_dataset(folder.path(), {}).size(), 6);
  for (const char* file : {"val/a/0.png", "val/a/1.png", "val/b/0.png"})
    write_file(folder / file, encode_png(random_image({4, 5, 3}, 1)));
  EXPECT_EQ(read_image_dataset(folder.path(), {}).size(), 7);
  fs::remove_all(folder / "val");
  fs::remove_all(folder / "test");
  const ImageDataset data = read_image_dataset(folder.path(), {});
  EXPECT_EQ(data.size(), 4);
  EXPECT_EQ(data.training_images, 4);
}

TEST(ImageFolder, PassesOverOtherFiles) {
  const TemporaryFolder folder;
  write_small_folder(folder.path());
  for (const char* file : {"train/a/notes.txt", "train/a/.hidden.png", "train/README", "train/.cache/x.png"})
    write_file(folder / file, "not an image");
  write_file(folder / "train/b/upper.PNG", encode_png(random_image({4, 5, 3}, 9)));
  EXPECT_EQ(read_image_dataset(folder.path(), {}).size(), 7);
}

TEST(ImageFolder, GreyStaysGreyUnlessThereIsColour) {
  const TemporaryFolder folder;
  for (const char* file : {"train/a/0.png", "train/b/0.png"})
    write_file(folder / file, encode_png(random_image({4, 4, 1}, 1)));
  EXPECT_EQ(read_image_dataset(folder.path(), {}).shape().channels, 1);
  write_file(folder / "train/b/1.png", encode_png(random_image({4, 4, 3}, 2)));
  const ImageDataset data = read_image_dataset(folder.path(), {});
  for (const Image& image : data.images) EXPECT_EQ(image.shape, (ImageShape{4, 4, 3}));
}

TEST(ImageFolder, OtherSizesAreNamedOrResized) {
  const TemporaryFolder folder;
  write_small_folder(folder.path());
  write_file(folder / "train/b/0.png", encode_png(random_image({7, 9, 3}, 1)));
  EXPECT_THAT(reading(folder.path()), AllOf(HasSubstr("train/b/0.png: is 7 × 9 pixels"),
                                            HasSubstr("expected 4 × 5"), HasSubstr("data.size")));
  const ImageDataset data = read_image_dataset(folder.path(), {.size = 3});
  for (const Image& image : data.images) EXPECT_EQ(image.shape, (ImageShape{3, 3, 3}));
}

TEST(ImageFolder, CorruptFilesAreNamedTheFirstOfSeveral) {
  const TemporaryFolder folder;
  write_image_folder(random_dataset(200, 0, 2, {5, 5, 3}), folder.path());
  const std::string jpeg = encode_jpeg(random_image({5, 5, 3}, 1));
  write_file(folder / "train/class00/00100.png", jpeg.substr(0, jpeg.size() / 2));
  write_file(folder / "train/class01/00001.png", "");
  for (const int threads : {1, 3})
    EXPECT_THAT(reading(folder.path(), {.threads = threads}),
                AllOf(HasSubstr("train/class00/00100.png: broken JPEG"), HasSubstr("expected")));
  fs::remove(folder / "train/class00/00100.png");
  EXPECT_THAT(reading(folder.path()), HasSubstr("train/class01/00001.png: is empty"));
}

TEST(ImageFolder, MissingPartsAreNamed) {
  const TemporaryFolder folder;
  write_small_folder(folder.path());
  fs::create_directories(folder / "train/empty");
  EXPECT_THAT(reading(folder.path()),
              AllOf(HasSubstr("train/empty: holds no images"), HasSubstr("expected .jpg")));
  fs::remove(folder / "train/empty");

  fs::rename(folder / "test/b", folder / "test/c");
  EXPECT_THAT(reading(folder.path()),
              AllOf(HasSubstr("test: class folder b/ is missing"), HasSubstr("train")));
  write_file(folder / "test/b/0.png", encode_png(random_image({4, 5, 3}, 1)));
  EXPECT_THAT(reading(folder.path()), HasSubstr("test/c: no such class"));
  fs::remove_all(folder / "test");

  fs::remove_all(folder / "train/b");
  EXPECT_THAT(reading(folder.path()), AllOf(HasSubstr("train: 1 class folder,"), HasSubstr("at least 2")));
  fs::remove_all(folder / "train");
  EXPECT_THAT(reading(folder.path()), AllOf(HasSubstr("no training data found"), HasSubstr("train/<class>/"),
                                            HasSubstr("data_batch_*.bin")));
  EXPECT_THAT(reading(folder.path(), {.format = "image-folder"}), HasSubstr("train: no such folder"));
  EXPECT_THAT(reading(folder / "nowhere"), HasSubstr("nowhere: no such folder"));
}

TEST(ImageFolder, UnreadableFilesAreNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const TemporaryFolder folder;
  write_small_folder(folder.path());
  fs::permissions(folder / "train/a/1.png", fs::perms::none);
  EXPECT_THAT(reading(folder.path()), HasSubstr("train/a/1.png: cannot read"));
}

TEST(ImageDatasets, AFolderOneLevelDownIsSuggested) {
  const TemporaryFolder folder;
  write_small_folder(folder / "below");
  EXPECT_THAT(reading(folder.path()), HasSubstr("data.folder = \"below\""));
}

class Cifar10Binary : public ::testing::Test {
 protected:
  void SetUp() override {
    write_cifar10_batch(written_, 0, 30, inner_ / "data_batch_1.bin");
    write_cifar10_batch(written_, 30, 40, inner_ / "data_batch_2.bin");
  }
  TemporaryFolder folder_;
  fs::path inner_ = folder_ / "cifar-10-batches-bin";
  ImageDataset written_ = random_dataset(40, 10, 10, {32, 32, 3});
};

TEST_F(Cifar10Binary, RoundTrip) {
  for (const bool with_test : {false, true}) {
    if (with_test) write_cifar10_batch(written_, 40, 50, inner_ / "test_batch.bin");
    for (const fs::path& folder : {folder_.path(), inner_}) {
      const ImageDataset data = read_image_dataset(folder, {});
      EXPECT_EQ(data.name, "cifar10");
      EXPECT_EQ(data.classes.size(), 10U);
      ASSERT_EQ(data.size(), with_test ? 50 : 40);
      EXPECT_EQ(data.training_images, 40);
      for (std::size_t i = 0; i < data.images.size(); ++i) {
        EXPECT_EQ(data.labels[i], written_.labels[i]);
        EXPECT_EQ(data.images[i].bytes, written_.images[i].bytes);
      }
    }
  }
}

TEST_F(Cifar10Binary, PlanesAreRedGreenBlueRowByRow) {
  std::string record(3073, '\0');
  record[0] = 7;
  record[1 + 2 * 1024 + 3 * 32 + 5] = 99;  // blue, row 3, column 5
  write_file(inner_ / "data_batch_1.bin", record);
  const ImageDataset data = read_image_dataset(folder_.path(), {});
  EXPECT_EQ(data.labels[0], 7);
  for (std::size_t i = 0; i < 3072; ++i)
    EXPECT_EQ(data.images[0].bytes[i], i == (3 * 32 + 5) * 3 + 2 ? 99 : 0) << i;
}

TEST_F(Cifar10Binary, TruncatedAndForeignFilesAreNamed) {
  fs::resize_file(inner_ / "data_batch_2.bin", 3072);
  EXPECT_THAT(reading(folder_.path()), AllOf(HasSubstr("data_batch_2.bin: 3072 bytes"), HasSubstr("3073")));
  fs::resize_file(inner_ / "data_batch_2.bin", 0);
  EXPECT_THAT(reading(folder_.path()), HasSubstr("data_batch_2.bin: 0 bytes"));
  write_file(inner_ / "data_batch_2.bin", std::string(3073, '\x0b'));
  EXPECT_THAT(reading(folder_.path()), HasSubstr("data_batch_2.bin: image 0 has class 11, expected 0 to 9"));
  fs::remove(inner_ / "data_batch_1.bin");
  fs::remove(inner_ / "data_batch_2.bin");
  EXPECT_THAT(reading(folder_.path(), {.format = "cifar10-binary"}), HasSubstr("no data_batch_*.bin"));
}

}  // namespace
}  // namespace lrid::data
