#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/data/image_formats.hpp>
#include <lrid/data/open_images.hpp>
#include <lrid/data/pack.hpp>

#include "pictures.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::input_error;
using testing::TemporaryFolder;
using testing::write_file;

class Pack : public ::testing::Test {
 protected:
  Pack() {
    const std::vector<ImageShape> shapes{{40, 60, 3}, {70, 50, 3}, {48, 48, 1}, {30, 90, 3}};
    for (int i = 0; i < 24; ++i) {
      const Image image = testing::smooth_image(shapes[static_cast<std::size_t>(i) % shapes.size()]);
      write_file(folder_ / "photos" / (i < 16 ? "train" : "val") / (i % 2 == 0 ? "even" : "odd") /
                     fmt::format("{:02}.{}", i, i % 3 == 0 ? "png" : "jpg"),
                 i % 3 == 0 ? testing::encode_png(image) : testing::encode_jpeg(image, 60 + i));
    }
  }
  [[nodiscard]] fs::path photos() const { return folder_ / "photos"; }
  [[nodiscard]] fs::path file() const { return folder_ / "photos.pack"; }
  const TemporaryFolder folder_;
};

TEST_F(Pack, HoldsTheFilesAsTheyAre) {
  EXPECT_EQ(write_pack(photos(), file(), {}, 3), 24);
  const auto folder = open_images(photos(), false, 1), pack = open_images(file(), false, 1);
  EXPECT_EQ(pack->list().name, "photos");
  EXPECT_EQ(pack->list().classes, folder->list().classes);
  EXPECT_EQ(pack->list().labels, folder->list().labels);
  EXPECT_EQ(pack->list().training_images, 16);
  std::string room, other_room;
  for (std::int64_t i = 0; i < 24; ++i) {
    EXPECT_EQ(pack->contents(i, room), folder->contents(i, other_room));
    EXPECT_EQ(pack->relative_name(i), folder->relative_name(i));
  }
}

TEST_F(Pack, DecodesToWhatTheFolderDecodesTo) {
  write_pack(photos(), file(), {}, 1);
  EXPECT_EQ(read_image_dataset(file(), {.size = 8}).images[5].bytes,
            read_image_dataset(photos(), {.size = 8}).images[5].bytes);
}

TEST_F(Pack, BytesDoNotDependOnThreads) {
  write_pack(photos(), file(), {.short_side = 20}, 1);
  const std::string once = read_file(file());
  write_pack(photos(), file(), {.short_side = 20}, 4);
  EXPECT_EQ(read_file(file()), once);
}

TEST_F(Pack, ReducesLargerImages) {
  write_pack(photos(), file(), {.short_side = 40, .quality = 100}, 2);
  const auto folder = open_images(photos(), false, 1), pack = open_images(file(), false, 1);
  for (std::int64_t i = 0; i < 24; ++i) {
    std::string room, other_room;
    const std::string_view before = folder->contents(i, room), after = pack->contents(i, other_room);
    const ImageShape was = decode_image(before, "folder").shape, is = decode_image(after, "pack").shape;
    const std::int64_t side = std::min(was.height, was.width);
    if (side <= 40) {
      EXPECT_EQ(before, after);
    } else {
      EXPECT_EQ(std::min(is.height, is.width), 40);
      EXPECT_NEAR(static_cast<double>(is.height) / static_cast<double>(is.width),
                  static_cast<double>(was.height) / static_cast<double>(was.width), 0.02);
      EXPECT_EQ(is.channels, was.channels);
    }
  }
}

TEST_F(Pack, BadImagesStayOutsideOrStopIt) {
  write_file(photos() / "train/odd/01.jpg", "");
  EXPECT_THAT(input_error([&] { write_pack(photos(), file(), {}, 2); }),
              HasSubstr("train/odd/01.jpg: is empty"));
  EXPECT_FALSE(fs::exists(file())) << "whole or not at all";
  EXPECT_EQ(write_pack(photos(), file(), {.skip_bad = true}, 2), 23);
  EXPECT_EQ(open_images(file(), false, 1)->list().training_images, 15);
}

TEST_F(Pack, DamageIsRefusedWithAReason) {
  write_pack(photos(), file(), {}, 1);
  const std::string whole = read_file(file());
  const auto opening = [&](const std::string& bytes) {
    write_file(file(), bytes);
    return input_error([&] { open_images(file(), false, 1); });
  };
  EXPECT_THAT(opening(""), HasSubstr("photos.pack: is no pack"));
  EXPECT_THAT(opening(whole.substr(0, 40)), HasSubstr("is no pack"));
  EXPECT_THAT(opening(whole.substr(0, whole.size() / 2)), HasSubstr("bytes where"));
  EXPECT_THAT(opening(whole.substr(0, whole.size() - 1)), HasSubstr("is damaged"));
  EXPECT_THAT(opening(whole + "x"), HasSubstr("is damaged"));
  for (const std::size_t place : {std::size_t{16}, std::size_t{30}, whole.size() - 5}) {
    std::string changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 4);
    EXPECT_THAT(opening(changed), HasSubstr("checksum"));
  }
  // Damage among the images shows when one is read.
  std::string changed = whole;
  changed[100] = static_cast<char>(changed[100] ^ 1);
  write_file(file(), changed);
  const auto pack = open_images(file(), false, 1);
  std::string room;
  EXPECT_THAT(input_error([&] { static_cast<void>(pack->contents(0, room)); }),
              HasSubstr("photos.pack: is damaged: the checksum of train/even/00.png differs"));
  EXPECT_NO_THROW(static_cast<void>(pack->contents(1, room)));
  EXPECT_EQ(open_images(file(), true, 2)->list().size(), 23) << "--skip-bad leaves it out";
}

}  // namespace
}  // namespace lrid::data
