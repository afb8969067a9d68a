#include <gtest/gtest.h>

#include <lrid/core/registry.hpp>
#include <lrid/core/text.hpp>

namespace lrid {
namespace {

TEST(Text, NearestFindsTyposOnly) {
  EXPECT_EQ(nearest("optimizer.momentun", {"optimizer.momentum", "optimizer.beta1"}), "optimizer.momentum");
  EXPECT_EQ(nearest("KNet6", {"KNet4", "AlexNet"}), "KNet4");
  EXPECT_EQ(nearest("zebra", {"sgdm", "adam", "fa", "ia"}), "");
}

TEST(Text, DoublesReadBackAndLookLikeDoubles) {
  for (const double value : {1.0, 0.1, 1e-300, 5e-6, 123456789.0, 1.0 / 3}) {
    const std::string text = format_double(value);
    EXPECT_EQ(std::stod(text), value);
    EXPECT_NE(text.find_first_of(".e"), std::string::npos);
  }
}

TEST(Text, CountsAreOneOrMany) {
  EXPECT_EQ(counted(1, "network"), "1 network");
  EXPECT_EQ(counted(0, "network"), "0 networks");
  EXPECT_EQ(counted(std::size_t{2}, "class", "classes"), "2 classes");
  EXPECT_EQ(counted(1, "class", "classes"), "1 class");
}

TEST(Text, SplitJoinTrim) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim("  x y\n"), "x y");
}

struct Entry {
  std::string name, summary;
};

TEST(Registry, NamesWhatItKnowsWhenAskedForMore) {
  const Registry<Entry> registry("learning rule", {{"sgdm", ""}, {"adam", ""}});
  EXPECT_EQ(registry.at("adam").name, "adam");
  try {
    static_cast<void>(registry.at("adm"));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "unknown learning rule \"adm\": expected one of sgdm, adam (nearest: adam)");
  }
}

TEST(Text, NumbersAreAllOfTheTextOrNone) {
  EXPECT_EQ(parse_number<std::int64_t>("-17"), -17);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_number<double>("2.5e-3"), 0.0025);
  EXPECT_EQ(parse_hexadecimal("00ff"), 255U);
  for (const char* none : {"", " 1", "1 ", "+1", "1x", "9223372036854775808"})
    EXPECT_FALSE(parse_number<std::int64_t>(none)) << none;
  EXPECT_FALSE(parse_number<std::uint64_t>("-1"));
  EXPECT_FALSE(parse_hexadecimal("0x1"));
}

}  // namespace
}  // namespace lrid
