// The page in a real browser: headless Chromium lays it out, takes pictures, and measures what no string
// comparison can see. Skipped where there is no Chromium.
#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/report/report.hpp>

#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::report {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Appended to a copy of the page: writes into it what overlaps, sticks out or makes the page scroll
/// sideways.
constexpr std::string_view probe = R"js(<script>
const problems = [];
for (const svg of document.querySelectorAll("svg")) {
  const texts = [...svg.querySelectorAll("text")], frame = svg.getBoundingClientRect();
  const boxes = texts.map(text => text.getBoundingClientRect());
  const name = i => texts[i].textContent + " [" + svg.getAttribute("aria-label") + "]";
  for (let i = 0; i < boxes.length; ++i) {
    const a = boxes[i];
    if (a.left < frame.left - 2 || a.right > frame.right + 2 || a.top < frame.top - 2 || a.bottom > frame.bottom + 4)
      problems.push("sticks out: " + name(i));
    if (texts[i].hasAttribute("transform")) continue;  // a turned text's box says little
    for (let j = 0; j < i; ++j) {
      const b = boxes[j];
      if (texts[j].hasAttribute("transform")) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 4) problems.push("overlap: " + name(i) + " and " + name(j));
    }
  }
}
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) problems.push("wider than the window: " + root.scrollWidth + " px");
const result = document.createElement("output");
result.textContent = "PROBLEMS " + problems.length + " of width " + root.clientWidth + ": " + problems.join("; ") + " END";
document.body.append(result);
</script>)js";

class Browser : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
      if (std::system(fmt::format("command -v {} >/dev/null 2>&1", name).c_str()) == 0) chromium_ = name;
    if (chromium_.empty()) GTEST_SKIP() << "no chromium on PATH";
    page_ = render_report({{"results.json", lrid::testing::synthetic_separability()},
                           {"held-out.json", lrid::testing::synthetic_held_out()},
                           {"breadth.json", lrid::testing::synthetic_breadth()}});
    write_atomically(folder_ / "report.html", page_);
  }

  lrid::testing::CommandResult chromium(const std::string& options, const fs::path& page) const {
    return lrid::testing::run_command(
        fmt::format("timeout 100 {} --headless --no-sandbox --disable-gpu --hide-scrollbars "
                    "--force-device-scale-factor=1 "
                    "--user-data-dir='{}' {} 'file://{}'",
                    chromium_, (folder_ / "profile").string(), options, page.string()));
  }

  std::string chromium_, page_;
  lrid::testing::TemporaryFolder folder_;
};

TEST_F(Browser, NothingOverlapsOrSticksOut) {
  std::string probed = page_;
  probed.insert(probed.rfind("</body>"), probe);
  write_atomically(folder_ / "probed.html", probed);
  for (const int width : {1280, 760, 500}) {
    const auto result =
        chromium(fmt::format("--window-size={},900 --dump-dom", width), folder_ / "probed.html");
    const std::size_t begin = result.out.find("PROBLEMS "), end = result.out.rfind(" END");
    ASSERT_NE(begin, std::string::npos) << result.err;
    EXPECT_THAT(result.out.substr(begin, end - begin), HasSubstr("PROBLEMS 0 of")) << "at width " << width;
  }
}

/// A phone is narrower than Chromium's smallest window: the page in a frame that wide must not scroll
/// sideways.
TEST_F(Browser, FitsAPhone) {
  std::string probed = page_;
  std::string reporting(probe);
  reporting.insert(reporting.rfind("</script>"), "parent.postMessage(result.textContent, '*');");
  probed.insert(probed.rfind("</body>"), reporting);
  write_atomically(folder_ / "probed.html", probed);
  write_atomically(folder_ / "phone.html",
                   "<body><output id='o'></output><script>onmessage = e => o.textContent = e.data</script>"
                   "<iframe src='probed.html' width='360' height='800' style='border:0'></iframe></body>");
  const auto result = chromium("--virtual-time-budget=3000 --dump-dom", folder_ / "phone.html");
  EXPECT_THAT(result.out, HasSubstr("PROBLEMS 0 of width 360"));
}

TEST_F(Browser, TakesAPictureThatIsNotBlank) {
  for (const char* scheme : {"light", "dark"}) {
    const fs::path picture = folder_ / fmt::format("{}.png", scheme);
    // 1: dark, 0: light, as blink's preferred colour scheme.
    const std::string setting =
        fmt::format("--blink-settings=preferredColorScheme={}", std::string_view(scheme) == "dark" ? 0 : 1);
    chromium(fmt::format("--window-size=1280,2000 {} --screenshot='{}'", setting, picture.string()),
             folder_ / "report.html");
    ASSERT_TRUE(fs::exists(picture)) << scheme;
    EXPECT_GT(fs::file_size(picture), 60'000U) << scheme;  // a blank one of this size compresses to 10 kB
  }
  EXPECT_NE(read_file(folder_ / "light.png"), read_file(folder_ / "dark.png"));
}

TEST_F(Browser, Prints) {
  const fs::path pdf = folder_ / "report.pdf";
  chromium(fmt::format("--no-pdf-header-footer --print-to-pdf='{}'", pdf.string()), folder_ / "report.html");
  ASSERT_TRUE(fs::exists(pdf));
  EXPECT_GT(fs::file_size(pdf), 20'000U);
}

}  // namespace
}  // namespace lrid::report
