#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/data/image_formats.hpp>
#include <lrid/data/open_images.hpp>

#include "pictures.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::encode_png;
using ::testing::HasSubstr;
using testing::input_error;
using testing::random_image;
using testing::TemporaryFolder;
using testing::write_file;

std::string opening(const fs::path& folder) {
  return input_error([&] { open_images(folder, false, 1); });
}

RegionRequest everything() {
  return {[](std::int64_t height, std::int64_t width) { return Region{0, 0, height, width}; }};
}

/// train/<class>/0.png for each class, and val/{a,b,c,d}.png side by side.
void write_flat(const fs::path& folder, const std::vector<std::string>& classes) {
  for (const std::string& name : classes)
    write_file(folder / "train" / name / "0.png", encode_png(random_image({4, 5, 3}, 1)));
  for (const char* name : {"d", "a", "c", "b"})
    write_file(folder / "val" / (std::string(name) + ".png"), encode_png(random_image({4, 5, 3}, 2)));
}

const std::vector<std::string> synsets{"n00000001", "n00000002", "n00000003"};

TEST(FlatValidation, ALineOfTheGroundTruthForEachImageInOrderOfNames) {
  const TemporaryFolder folder;
  write_flat(folder.path(), {"ant", "bee", "cat"});
  write_file(folder / "ILSVRC2012_validation_ground_truth.txt", "3\n1\n1\n2\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 2, 0, 0, 1));
  write_file(folder / "ILSVRC2012_validation_ground_truth.txt", "cat\nant\nbee\nbee\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 2, 0, 1, 1));
}

TEST(FlatValidation, TheDevkitNumbersClassesByAListOfItsOwn) {
  const TemporaryFolder folder;
  write_flat(folder.path(), synsets);
  write_file(folder / "data/ILSVRC2012_validation_ground_truth.txt", "1\n2\n3\n3\n");
  EXPECT_THAT(opening(folder.path()),
              AllOf(HasSubstr("ground_truth.txt: \"1\" names no class"), HasSubstr("map_clsloc.txt")));
  write_file(folder / "data/map_clsloc.txt", "n00000003 1 ant\nn00000001 2 bee\nn00000002 3 cat\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 2, 0, 1, 1));
}

TEST(FlatValidation, OtherUsualLists) {
  const TemporaryFolder folder;
  write_flat(folder.path(), synsets);
  write_file(folder / "val.txt", "a.png 2\nb.png 0\nd.png 0\nc.png n00000002\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 2, 0, 1, 0));
  write_file(folder / "imagenet_2012_validation_synset_labels.txt",
             "n00000002\nn00000002\nn00000001\nn00000003\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 1, 1, 0, 2));
}

TEST(FlatValidation, WhatIsWrongIsNamed) {
  const TemporaryFolder folder;
  write_flat(folder.path(), synsets);
  EXPECT_THAT(opening(folder.path()), HasSubstr("images without class folders, expected class folders, or"));
  write_file(folder / "val.txt", "a.png 0\nb.png 1\nc.png 2\n");
  EXPECT_THAT(opening(folder.path()), HasSubstr("val.txt: 3 lines, expected one for each of 4 images"));
  write_file(folder / "val.txt", "a.png 0\nb.png 1\nc.png 2\ne.png 1\n");
  EXPECT_THAT(opening(folder.path()), HasSubstr("val.txt: has no line for d.png"));
  write_file(folder / "val.txt", "a.png 0\nb.png 1\nc.png 3\nd.png 1\n");
  EXPECT_THAT(opening(folder.path()), HasSubstr("\"3\" names no class, expected one of the 3 class folders"));
  write_file(folder / "val.txt", "a.png 0\nb.png\nc.png 2\nd.png 1\n");
  EXPECT_THAT(opening(folder.path()), HasSubstr("line \"b.png\", expected a file name and a class"));
}

TEST(SkipBad, LeavesOutWhatCannotBeRead) {
  const TemporaryFolder folder;
  testing::write_image_folder(testing::random_dataset(12, 4, 2, {6, 8, 3}), folder.path());
  write_file(folder / "train/class00/00002.png", "");
  write_file(folder / "train/class01/00001.png", "no image");
  write_file(folder / "val/class01/00013.png", encode_png(random_image({6, 8, 3}, 1)).substr(0, 60));
  const auto good = open_images(folder.path(), true, 2);
  EXPECT_EQ(good->list().size(), 13);
  EXPECT_EQ(good->list().training_images, 10);
  // 0 stays; what was 2 is 1 now.
  EXPECT_EQ(good->relative_name(1), "train/class00/00004.png");
  EXPECT_EQ(good->read(1, everything()).shape.width, 8);
  EXPECT_EQ(read_image_dataset(folder.path(), {.skip_bad = true}).size(), 13);

  for (const char* name : {"00003", "00005", "00007", "00009", "00011"})
    write_file(folder / "train/class01" / (std::string(name) + ".png"), "");
  EXPECT_THAT(input_error([&] { open_images(folder.path(), true, 2); }),
              HasSubstr("no image of class class01 can be read"));
}

TEST(ImageFolder, IsCheckedWholeWhenItIsOpened) {
  const TemporaryFolder folder;
  testing::write_image_folder(testing::random_dataset(12, 4, 2, {6, 8, 3}), folder.path());
  EXPECT_EQ(open_images(folder.path(), false, 2)->list().size(), 16);
  const fs::path image = folder / "train/class00/00002.png";
  const std::string whole = encode_png(random_image({6, 8, 3}, 1));
  write_file(image, whole + "some bytes that a camera left behind");
  EXPECT_NO_THROW(open_images(folder.path(), false, 2));
  write_file(image, whole + std::string(1000, ' '));
  EXPECT_NO_THROW(open_images(folder.path(), false, 2)) << "more of them than a look at the end shows";
  write_file(image, whole.substr(0, whole.size() - 20));
  EXPECT_THAT(opening(folder.path()), HasSubstr("train/class00/00002.png: broken PNG"));
  write_file(image, "");
  EXPECT_THAT(opening(folder.path()), HasSubstr("train/class00/00002.png: is empty"));
  write_file(image, "RIFF....WEBPVP8 and so on");
  EXPECT_THAT(opening(folder.path()), HasSubstr("train/class00/00002.png: is neither JPEG nor PNG"));
}

TEST(ImageFolder, CountsWhatItDoesNotRead) {
  const TemporaryFolder folder;
  testing::write_image_folder(testing::random_dataset(12, 4, 2, {6, 8, 3}), folder.path());
  EXPECT_EQ(testing::log_of([&] { open_images(folder.path(), false, 1); }), "") << "nothing is left out";
  const std::string png = encode_png(random_image({6, 8, 3}, 1));
  write_file(folder / "train/class00/x.WEBP", png);
  write_file(folder / "train/class01/y.tif", png);
  write_file(folder / "train/class01/more/z.png", png);
  write_file(folder / "train/class01/more/deep/z.png", png);
  write_file(folder / "train/class01/Thumbs.db", "...");
  write_file(folder / "train/class01/._00001.png", "...");
  write_file(folder / "train/lost.png", png);
  write_file(folder / "Validation/class00/a.png", png);
  std::int64_t images = 0;
  const std::string log =
      testing::log_of([&] { images = open_images(folder.path(), false, 1)->list().size(); });
  EXPECT_EQ(images, 16);
  EXPECT_THAT(log, HasSubstr("left out 2 images of kinds that are not read (.tif, .webp; such as "
                             "train/class00/x.WEBP)"));
  EXPECT_THAT(log, HasSubstr("2 files in sub-folders of classes (such as train/class01/more/"));
  EXPECT_THAT(log, HasSubstr("2 other files (such as train/class01/Thumbs.db)"));
  EXPECT_THAT(log, HasSubstr("1 hidden file,"));
  EXPECT_THAT(log, HasSubstr("the folder Validation/ (val/ is there for validation)"));
  EXPECT_EQ(testing::log_of([&] { open_images(folder.path(), false, 1); }), "") << "said once";
}

TEST(FlatValidation, ListsMayHaveTabsAndAMark) {
  const TemporaryFolder folder;
  write_flat(folder.path(), synsets);
  write_file(folder / "val.txt",
             "\xEF\xBB\xBF"
             "a.png\t2\r\nb.png\t 0\r\nd.png\t0\r\nc.png  n00000002\r\n");
  EXPECT_THAT(open_images(folder.path(), false, 1)->list().labels, ElementsAre(0, 1, 2, 2, 0, 1, 0));
}

}  // namespace
}  // namespace lrid::data
