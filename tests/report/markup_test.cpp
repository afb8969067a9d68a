#include "markup.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "names.hpp"
#include "svg.hpp"
#include "table.hpp"
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
  EXPECT_EQ(percent(0.834), "83\u202f%");
  EXPECT_EQ(with_range(io::Figure::of({0.4, 0.6})), "0.500\u00a0±\u00a00.141");
  EXPECT_EQ(with_range(io::Figure::of({0.5})), "0.500");
  io::Figure figure = io::Figure::of({0.4, 0.6});
  figure.interval = {0.31, 0.69};
  EXPECT_EQ(with_range(figure, 2), "0.50\u00a0[0.31,\u00a00.69]");
  EXPECT_EQ(p_text(figure), "");
  figure.p = 0.0126;
  EXPECT_EQ(p_text(figure), "p\u00a0=\u00a00.013");
  EXPECT_EQ(count(7), "7");
  EXPECT_EQ(count(20736), "20\u2009736");
  EXPECT_EQ(count(-1234567), "-1\u2009234\u2009567");
  EXPECT_EQ(enumerate({"a", "b", "c"}), "a, b and c");
}

TEST(Markup, EncodesDataUris) {
  // RFC 4648, section 10.
  for (const auto& [text, encoded] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}})
    EXPECT_EQ(data_uri("text/plain", text), fmt::format("data:text/plain;base64,{}", encoded));
}

TEST(Markup, MakesSlugs) {
  EXPECT_EQ(slug("None of these: rules (d′)"), "none-of-these-rules-d");
}

TEST(Table, WritesCsv) {
  io::Figure figure = io::Figure::of({0.25, 0.75});
  Table table{{words("who, what"), number_title("accuracy")},
              {{words("say \"a\""), figure_entry(figure)}, {words("b"), figure_entry(std::nullopt)}}};
  EXPECT_EQ(csv(table),
            "\"who, what\",accuracy,accuracy (spread over splits)\n"
            "\"say \"\"a\"\"\",0.5,0.3535533905932738\nb,,\n");
  figure.interval = {0.1, 0.9};
  table.rows[0][1] = figure_entry(figure);
  EXPECT_EQ(
      csv(table),
      "\"who, what\",accuracy,accuracy (spread over splits),\"accuracy (95% interval, low)\",\"accuracy (95% "
      "interval, high)\"\n\"say \"\"a\"\"\",0.5,0.3535533905932738,0.1,0.9\nb,,,,\n");
}

TEST(Names, ObservablesHaveNamesAndCodes) {
  EXPECT_EQ(observable_name("actraw_thirdquartile"), "activations: upper quartile (actraw_thirdquartile)");
  EXPECT_EQ(observable_name("weightsq_mean"), "weights: mean of squares (weightsq_mean)");
  EXPECT_EQ(observable_name("gradavgabs_id"), "activity change: mean of absolute values (gradavgabs_id)");
  EXPECT_EQ(observable_name("layer_position"), "layer position");
  for (const stats::Observable& observable : stats::observables())
    EXPECT_EQ(observable_title(observable.name).code, observable.name);
  EXPECT_EQ(class_title("fa"), "feedback alignment (fa)");
  EXPECT_EQ(class_title("KNet4"), "KNet4");
  EXPECT_EQ(observable_group_title("thirdquartile"), "upper quartile (thirdquartile)");
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

TEST(Svg, WrapsTextAtBlanks) {
  EXPECT_EQ(wrap("feedback alignment (fa)", 12, 90),
            (std::vector<std::string>{"feedback", "alignment (fa)"}));
  EXPECT_EQ(wrap("one", 12, 90), (std::vector<std::string>{"one"}));
  EXPECT_TRUE(wrap("aVeryLongWordWithoutBlanks", 12, 60).front().ends_with("…"));
}

TEST(View, ComparesByIntervalOrSpread) {
  io::Figure figure = io::Figure::of({0.4, 0.6});  // standard deviation 0.141
  EXPECT_EQ(compare(figure, 0.2), Comparison::above);
  EXPECT_EQ(compare(figure, 0.3), Comparison::undecided);
  EXPECT_EQ(compare(figure, 0.8), Comparison::below);
  figure.interval = {0.25, 0.55};
  EXPECT_EQ(compare(figure, 0.2), Comparison::above);
  EXPECT_EQ(compare(figure, 0.3), Comparison::undecided);
  EXPECT_EQ(compare(figure, 0.6), Comparison::below);
  EXPECT_EQ(compare(io::Figure::of({0.9}), io::Figure::of({0.8})), Comparison::above);
}

TEST(View, HeadlineClassifierIsFixedBeforehand) {
  const auto row = [](const char* name, double accuracy) {
    Row result;
    result.classifier = name;
    result.accuracy = io::Figure::of({accuracy});
    return result;
  };
  const Row svm = row("svm", 0.9), mlp = row("mlp", 0.5), other = row("other", 0.95);
  EXPECT_EQ(headline_classifier({&other, &svm, &mlp}), "mlp");
  EXPECT_EQ(headline_classifier({&other, &svm}), "svm");
  EXPECT_EQ(headline_classifier({&other}), "other");
  EXPECT_EQ(headline_classifier({}), "");
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
