#include <gtest/gtest.h>

#include <lrid/core/text_layout.hpp>

namespace lrid {
namespace {

using Lines = std::vector<std::string>;

TEST(TextLayout, WrapsAtWordsAndCountsCharacters) {
  EXPECT_EQ(text_width("≥ 0…1"), 5U);
  EXPECT_EQ(wrap("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("one two three", 6), (Lines{"one", "two", "three"}));
  EXPECT_EQ(wrap("  ≥≥≥ ≥≥  a ", 6), (Lines{"≥≥≥ ≥≥", "a"}));
  EXPECT_EQ(wrap("a extraordinarily b", 5), (Lines{"a", "extraordinarily", "b"}));
  EXPECT_EQ(wrap("", 5), Lines{});
}

}  // namespace
}  // namespace lrid
