#include "markup.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "svg.hpp"
#include "view.hpp"

namespace lrid::report {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

TEST(Markup, EscapesWhatHtmlAndXmlGiveAMeaning) {
  EXPECT_EQ(escape("<b a=\"1\">'x' & y</b>"), "&lt;b a=&quot;1&quot;&gt;&#39;x&#39; &amp; y&lt;/b&gt;");
  EXPECT_EQ(escape("a\x01\x1f"), "a\uFFFD\uFFFD");
  EXPECT_EQ(escape("line\n\ttab ü"), "line\n\ttab ü");
}

TEST(Markup, WritesNumbers) {
  EXPECT_EQ(number(0.834), "0.83");
  EXPECT_EQ(number(-1.5, 1), "−1.5");
  EXPECT_EQ(number(-0.001), "0.00");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "–");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "–");
  EXPECT_EQ(with_error({.mean = 0.5, .sem = 0.012, .splits = {}}), "0.50\u00a0±\u00a00.01");
  EXPECT_EQ(with_error({.mean = 0.5, .sem = 0, .splits = {0.5}}), "0.50");
  EXPECT_EQ(with_error({.mean = 0.8249, .sem = 0.002, .splits = {}}), "0.825\u00a0±\u00a00.002");
  EXPECT_EQ(count(7), "7");
  EXPECT_EQ(count(20736), "20\u2009736");
  EXPECT_EQ(count(-1234567), "-1\u2009234\u2009567");
  EXPECT_EQ(enumerate({"a", "b", "c"}), "a, b and c");
}

TEST(Svg, TicksAreRoundAndCoverTheRange) {
  EXPECT_THAT(ticks(0, 1, 6), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_EQ(ticks(-1.3, 1.2, 6), (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
  EXPECT_EQ(ticks(3, 3, 5), (std::vector<double>{3}));
  EXPECT_TRUE(ticks(0, std::numeric_limits<double>::quiet_NaN(), 5).empty());
  for (const double high : {1e-9, 0.37, 12.0, 8e11}) {
    const std::vector<double> values = ticks(0, high, 6);
    EXPECT_GE(values.size(), 2U) << high;
    EXPECT_LE(values.size(), 6U) << high;
  }
}

TEST(Svg, ShortensTextWithoutCuttingCharacters) {
  EXPECT_EQ(shorten("fits", 12, 100), "fits");
  const std::string shortened = shorten("öööööööööööööööööööö", 12, 60);
  EXPECT_LT(text_width(shortened, 12), 62);
  EXPECT_TRUE(shortened.ends_with("ö…"));
}

TEST(View, SummariseLeavesOutWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const io::Figure figure = summarise({1, nan, 3});
  EXPECT_DOUBLE_EQ(figure.mean, 2);
  EXPECT_DOUBLE_EQ(figure.sem, 1);  // sd √2, over √2
  EXPECT_TRUE(std::isnan(summarise(std::vector<double>{nan}).mean));
  EXPECT_DOUBLE_EQ(summarise({0.4}).sem, 0);
}

}  // namespace
}  // namespace lrid::report
