#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lrid::measure {

/// A condition on the rows of a table, such as `quality == good and not (snr < 2 or area in [CA1, CA3])`.
///
///     condition   NAME (== != < <= > >=) VALUE | NAME [not] in [VALUE, ...] | NAME
///                 | not CONDITION | CONDITION and CONDITION | CONDITION or CONDITION | (CONDITION)
///
/// `not` binds most tightly, then `and`. Names and values stand alone or in quotes, single or double (a
/// backslash takes the next character as it is). Two numbers compare as numbers, anything else as text, and
/// only numbers have an order. In a column of true and false, these are 1 and 0; a bare name asks for a
/// number other than 0. What is compared with a missing value is neither true nor false; nor is its opposite.
class Condition {
 public:
  /// Throws InputError for a text that is none, in one line that begins with `option`.
  Condition(std::string option, std::string text);

  /// "--where-units 'snr > 2'".
  [[nodiscard]] std::string said() const { return option_ + " '" + text_ + "'"; }

  /// A column's values, as texts.
  using ColumnOf = std::function<std::vector<std::string>(const std::string& name)>;
  /// The rows of which the condition is true, in a table of so many. InputError where a column cannot be
  /// compared so, which begins with the table's name.
  [[nodiscard]] std::vector<bool> rows(const std::string& table, std::size_t count,
                                       const ColumnOf& column_of) const;

 private:
  friend class ConditionParser;
  enum class Truth : std::uint8_t { no, yes, unknown };
  enum class Kind : std::uint8_t {
    both,
    either,
    opposite,
    bare,
    equal,
    unequal,
    less,
    most,
    more,
    least,
    in
  };
  struct Node {
    Kind kind;
    std::string name = {};                 ///< of the column
    std::vector<std::string> values = {};  ///< to compare with
    std::vector<Node> parts = {};
  };
  [[nodiscard]] std::vector<Truth> truths(const Node& node, std::size_t count, const ColumnOf& column_of,
                                          const std::string& table) const;
  std::string option_, text_;
  Node root_;
};

}  // namespace lrid::measure
