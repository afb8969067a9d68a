#include <chrono>

#include <gtest/gtest.h>

#include <lrid/core/progress.hpp>

namespace lrid {
namespace {

TEST(Progress, WritesALineWhereThereIsNoTerminal) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("training", 10, "steps", std::chrono::milliseconds(0));
    progress.advance(5);
    progress.note("KNet4 fa");
    progress.advance(5);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("training 100 %  10/10 steps"), std::string::npos) << text;
  EXPECT_NE(text.find("KNet4 fa"), std::string::npos) << text;
}

TEST(Progress, IsSilentWhereACommandFailsAtItsStart) {
  ::testing::internal::CaptureStderr();
  Progress("reading", 10, "files").advance();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, DurationsAreShort) {
  EXPECT_EQ(format_duration(12.3), "12 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
}

}  // namespace
}  // namespace lrid
