#include <fstream>

#include <gtest/gtest.h>

#include <lrid/sweep/run_log.hpp>

#include "testing.hpp"

namespace lrid::sweep {
namespace {

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

}  // namespace
}  // namespace lrid::sweep
