#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <lrid/sweep/run_log.hpp>

#include "testing.hpp"

namespace lrid::sweep {
namespace {

using ::testing::HasSubstr;

TEST(RunLog, CountsProcessesThatEndedWithoutAWord) {
  const testing::TemporaryFolder folder;
  const auto out = folder / "x.h5";
  const auto expect = [&](int count, std::int64_t step) {
    EXPECT_EQ(read_unlogged_exits(out).count, count);
    EXPECT_EQ(read_unlogged_exits(out).step, step);
  };
  expect(0, 0);
  write_log_line(out, "starts, 30 steps");
  write_log_line(out, "starts, 30 steps");
  expect(2, 0);
  write_log_line(out, "goes on at step 12 of 30");
  expect(1, 12);
  write_log_line(out, "goes on at step 12 of 30");
  expect(2, 12);
  write_log_line(out, "stops at step 13 of 30", {.seconds = 1});
  expect(0, 0);
  write_log_line(out, "goes on at step 13 of 30");
  expect(1, 13);
  write_log_line(out, "failed (not finite)", {.seconds = 2});
  expect(0, 0);
  EXPECT_EQ(read_device_time(out).seconds, 2);
  std::ofstream(folder / "x.log", std::ios::app) << "no line of ours\n\nnor this";
  expect(0, 0);
}

TEST(RunLog, SaysWhichLinesAreLost) {
  const testing::TemporaryFolder folder;
  const auto warning = [&](const std::string& name) {
    return testing::log_of([&] { write_log_line(folder / name, "starts, 30 steps"); });
  };
  ASSERT_EQ(::mkfifo((folder / "pipe.log").c_str(), 0600), 0);
  EXPECT_THAT(warning("pipe.h5"), HasSubstr("pipe.log: cannot write \"starts, 30 steps\": No such device"));
  std::filesystem::create_symlink("/dev/full", folder / "full.log");
  EXPECT_THAT(warning("full.h5"), HasSubstr("full.log: cannot write \"starts, 30 steps\": is no file"));
  EXPECT_THAT(warning("nowhere/x.h5"), HasSubstr("No such file or directory"));
  EXPECT_EQ(warning("x.h5"), "");
}

}  // namespace
}  // namespace lrid::sweep
