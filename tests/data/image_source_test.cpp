#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const auto all = open_images(folder.path(), false, 2);
  const auto good = open_images(folder.path(), true, 2);
  EXPECT_EQ(all->list().size(), 16);
  EXPECT_EQ(good->list().size(), 13);
  EXPECT_EQ(good->list().training_images, 10);
  EXPECT_THAT(input_error([&] { static_cast<void>(all->read(1, everything())); }),
              HasSubstr("train/class00/00002.png: is empty"));
  // 0 stays; what was 2 is 1 now.
  EXPECT_EQ(good->read(1, everything()).bytes, all->read(2, everything()).bytes);
  EXPECT_EQ(good->relative_name(1), "train/class00/00004.png");
  EXPECT_EQ(read_image_dataset(folder.path(), {.skip_bad = true}).size(), 13);

  for (const char* name : {"00003", "00005", "00007", "00009", "00011"})
    write_file(folder / "train/class01" / (std::string(name) + ".png"), "");
  EXPECT_THAT(input_error([&] { open_images(folder.path(), true, 2); }),
              HasSubstr("no image of class class01 can be read"));
}

}  // namespace
}  // namespace lrid::data
