#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>

#include "testing.hpp"

namespace lrid {
namespace {

namespace fs = std::filesystem;

int files_in(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(File, AppearsWholeOrNotAtAll) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder / "out.txt";
  write_atomically(path, "first");
  EXPECT_EQ(read_file(path), "first");
  EXPECT_THROW(write_atomically(path,
                                [](const fs::path& temporary) {
                                  write_atomically(temporary, "half");
                                  throw WorkError("the disk is full");
                                }),
               WorkError);
  EXPECT_EQ(read_file(path), "first");
  EXPECT_EQ(files_in(folder.path()), 1) << "a temporary file was left behind";
}

TEST(File, LeftoversOfKilledWritersAreRemovedAndNothingElse) {
  const testing::TemporaryFolder folder;
  for (const char* name : {".run.h5.123.tmp", ".run.h5.state.123.tmp", ".run.h5.tmp", "run.h5"})
    write_atomically(folder / name, "x");
  remove_temporaries_of({folder / "run.h5"});
  EXPECT_FALSE(fs::exists(folder / ".run.h5.123.tmp"));
  EXPECT_EQ(files_in(folder.path()), 3);
}

TEST(File, OnlyOurFilesOfAFolderAreRemoved) {
  const testing::TemporaryFolder folder;
  const auto is_ours = [](std::string_view name) { return name.ends_with(".cell"); };
  fs::create_directory(folder / "cells");
  for (const char* name : {"a.cell", ".b.cell.123.tmp", "raw.h5"})
    write_atomically(folder / "cells" / name, "x");
  remove_files(folder / "cells", is_ours);
  EXPECT_TRUE(fs::exists(folder / "cells" / "raw.h5"));
  EXPECT_EQ(files_in(folder / "cells"), 1);
  fs::remove(folder / "cells" / "raw.h5");
  remove_files(folder / "cells", is_ours);
  EXPECT_FALSE(fs::exists(folder / "cells"));
}

TEST(File, OneOfSeveralCreatesAFile) {
  const testing::TemporaryFolder folder;
  std::atomic<int> created{0};
  std::vector<std::thread> others;
  for (int i = 0; i < 8; ++i)
    others.emplace_back([&] { created += create_exclusively(folder / "seed", "17\n") ? 1 : 0; });
  for (std::thread& other : others) other.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(read_file(folder / "seed"), "17\n");
  EXPECT_THROW(create_exclusively(folder / "missing/seed", ""), WorkError);
}

TEST(File, RequireWritableComplainsBeforeTheWork) {
  const testing::TemporaryFolder folder;
  EXPECT_NO_THROW(require_writable(folder / "new.h5", "--out"));
  EXPECT_THROW(require_writable(folder.path(), "--out"), InputError);
  EXPECT_THROW(require_writable(folder / "missing/new.h5", "--out"), InputError);
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(File, Sha256IsTheStandardOne) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const testing::TemporaryFolder folder;
  write_atomically(folder / "abc", "abc");
  EXPECT_EQ(sha256_of_file(folder / "abc"), sha256("abc"));
}

TEST(File, ReadingAFolderOrNothingIsBadInput) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(read_file(folder.path()), InputError);
  EXPECT_THROW(read_file(folder / "none"), InputError);
}

}  // namespace
}  // namespace lrid
