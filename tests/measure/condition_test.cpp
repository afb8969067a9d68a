// Conditions on the rows of a table.
#include "../../src/measure/condition.hpp"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>

namespace lrid::measure {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using Texts = std::vector<std::string>;
using Rows = std::vector<int>;

const std::map<std::string, Texts> table{{"id", {"0", "1", "2", "3", "4"}},
                                         {"quality", {"good", "mua", "good", "noise", ""}},
                                         {"snr", {"1.5", "2.0", "3e1", "nan", "-1"}},
                                         {"is_good", {"TRUE", "FALSE", "TRUE", "TRUE", "FALSE"}},
                                         {"iscell", {"1.0", "0.0", "1.0", "0.0", "1.0"}},
                                         {"hash", {"9007199254740992", "9007199254740993", "1", "2", "3"}},
                                         {"brain area", {"V1", "V1", "it's", "in", "not"}}};

/// The rows that meet a condition.
Rows chosen(const std::string& text) {
  const Condition condition("--where", text);
  const std::vector<bool> rows = condition.rows("a table", 5, [](const std::string& name) {
    const auto column = table.find(name);
    if (column == table.end()) bad_input("no column {}", name);
    return column->second;
  });
  Rows result;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i]) result.push_back(static_cast<int>(i));
  return result;
}

TEST(Condition, Compares) {
  EXPECT_EQ(chosen("snr > 1.5"), (Rows{1, 2}));
  EXPECT_EQ(chosen("snr >= 1.5"), (Rows{0, 1, 2}));
  EXPECT_EQ(chosen("snr<2"), (Rows{0, 4}));
  EXPECT_EQ(chosen("snr <= 2"), (Rows{0, 1, 4}));
  EXPECT_EQ(chosen("snr == 2"), Rows{1}) << "as numbers, not as \"2.0\"";
  EXPECT_EQ(chosen("snr == 30"), Rows{2});
  EXPECT_EQ(chosen("quality == good"), (Rows{0, 2}));
  EXPECT_EQ(chosen("quality != 'good'"), (Rows{1, 3})) << "a missing value is not another one";
  EXPECT_EQ(chosen("hash == 9007199254740993"), Rows{1}) << "doubles do not tell them apart";
}

TEST(Condition, KnowsTrueAndFalse) {
  EXPECT_EQ(chosen("is_good"), (Rows{0, 2, 3}));
  EXPECT_EQ(chosen("not is_good"), (Rows{1, 4}));
  EXPECT_EQ(chosen("is_good == true"), (Rows{0, 2, 3}));
  EXPECT_EQ(chosen("is_good != True"), (Rows{1, 4}));
  EXPECT_EQ(chosen("is_good == 1"), (Rows{0, 2, 3}));
  EXPECT_EQ(chosen("iscell"), (Rows{0, 2, 4}));
  EXPECT_EQ(chosen("iscell == 1"), (Rows{0, 2, 4}));
  EXPECT_EQ(chosen("iscell == false"), (Rows{1, 3}));
  EXPECT_EQ(chosen("snr"), (Rows{0, 1, 2, 4})) << "a number other than 0";
}

TEST(Condition, Lists) {
  EXPECT_EQ(chosen("quality in [good, 'mua']"), (Rows{0, 1, 2}));
  EXPECT_EQ(chosen("quality not in [good,mua]"), Rows{3});
  EXPECT_EQ(chosen("id in [ 4,0 ]"), (Rows{0, 4}));
  EXPECT_EQ(chosen("'brain area' in [\"it's\", 'in', \"not\"]"), (Rows{2, 3, 4}));
  EXPECT_EQ(chosen(R"('brain area' == 'it\'s')"), Rows{2});
}

TEST(Condition, CombinesByPrecedence) {
  EXPECT_EQ(chosen("quality == good or quality == mua and snr > 100"), (Rows{0, 2}));
  EXPECT_EQ(chosen("(quality == good or quality == mua) and snr > 1.6"), (Rows{1, 2}));
  EXPECT_EQ(chosen("not is_good or snr > 20"), (Rows{1, 2, 4}));
  EXPECT_EQ(chosen("not (is_good or snr > 1.9)"), Rows{4});
  EXPECT_EQ(chosen("not not is_good"), (Rows{0, 2, 3}));
  EXPECT_EQ(chosen("id==0 or id==1 or(id==2)"), (Rows{0, 1, 2}));
}

TEST(Condition, MissingValuesAreNeitherTrueNorFalse) {
  EXPECT_EQ(chosen("not (snr > 2)"), (Rows{0, 1, 4}));
  EXPECT_EQ(chosen("snr > 2 or is_good"), (Rows{0, 2, 3})) << "true whatever the other is";
  EXPECT_EQ(chosen("not (snr > 2 and id == 0)"), (Rows{0, 1, 2, 3, 4}));
  EXPECT_THAT(chosen("quality == ''"), IsEmpty());
}

TEST(Condition, SaysWhereItIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "ends at character 1, expected a column"},
      {"  ", "expected a column"},
      {"snr = 2", "\"=\" at character 5, expected ==, !=, <, <=, >, >= or in"},
      {"snr >", "ends at character 6, expected a value"},
      {"snr > big", "\"big\" at character 7, expected a number to compare snr with"},
      {"snr > nan", "expected a number"},
      {"(snr > 2", "ends at character 9, expected and, or, or \")\""},
      {"snr > 2)", "\")\" at character 8, expected and, or, or the end"},
      {"snr > 2 quality == good", "\"quality\" at character 9, expected and, or, or the end"},
      {"snr > 2 and", "ends at character 12, expected a column"},
      {"and snr > 2", "\"and\" at character 1, expected a column"},
      {"quality in good", "\"good\" at character 12, expected \"[\""},
      {"quality in []", "\"]\" at character 13, expected a value"},
      {"quality in [a b]", "\"b\" at character 15, expected \",\" or \"]\""},
      {"quality in [a", "expected \",\" or \"]\""},
      {"quality not == a", "expected in"},
      {"quality == 'good", "the quotation mark at character 12 is not closed"},
      {std::string(5000, '('), "no deeper than 100"},
  };
  for (const auto& [text, message] : wrong)
    EXPECT_THAT([&text = text] { (void)chosen(text); },
                ThrowsMessage<InputError>(AllOf(StartsWith("--where '" + text + "': "), HasSubstr(message))))
        << text;
  EXPECT_THAT([] { (void)chosen("quality > 2"); },
              ThrowsMessage<InputError>("a table: --where 'quality > 2': column \"quality\" holds \"good\", "
                                        "expected numbers"));
  EXPECT_THAT([] { (void)chosen("quality"); },
              ThrowsMessage<InputError>(HasSubstr("expected true and false, or numbers")));
}

TEST(Condition, GarbageIsAnErrorAtWorst) {
  std::mt19937 random(5);
  const std::vector<std::string> pieces{"snr", "quality", "and",  "or", "not", "in", "(",  ")",  "[",
                                        "]",   ",",       "==",   "<",  "!",   "=",  "'",  "\"", "\\",
                                        " ",   "2",       "\xff", "\n", "é",   "-",  ">=", "id"};
  int good = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::size_t n = random() % 12; n > 0; --n) text += pieces[random() % pieces.size()] + " ";
    try {
      (void)chosen(text);
      ++good;
    } catch (const InputError&) {
    }
  }
  EXPECT_GT(good, 10);
}

}  // namespace
}  // namespace lrid::measure
