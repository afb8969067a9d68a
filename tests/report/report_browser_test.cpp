// The page in a real browser, which sees what no string comparison can: headless Chromium lays it out,
// axe-core judges its accessibility, and tests/report/check_page.py uses it as a reader would.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/report/report.hpp>

#include "python.hpp"
#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::report {
namespace {

class Browser : public ::testing::TestWithParam<const char*> {};

TEST_P(Browser, FindsNothingWrong) {
  const std::string python = lrid::testing::python_with("axe_playwright_python");
  ASSERT_NE(python, "") << "no Python with axe-playwright-python: scripts/setup.sh installs it";
  const lrid::testing::TemporaryFolder folder;
  write_report({{"results.json", lrid::testing::synthetic_separability()},
                {"held-out.json", lrid::testing::synthetic_held_out()},
                {"breadth.json", lrid::testing::synthetic_breadth()}},
               folder / "report.html");
  const auto result =
      lrid::testing::run_python(python, "tests/report/check_page.py",
                                fmt::format("{} '{}'", GetParam(), (folder / "report.html").string()));
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

INSTANTIATE_TEST_SUITE_P(Report, Browser,
                         ::testing::Values("layout", "accessibility", "use", "downloads", "print",
                                           "pictures"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace lrid::report
