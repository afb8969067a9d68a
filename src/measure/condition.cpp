#include "condition.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/nwb.hpp>

namespace lrid::measure {

namespace {

std::optional<double> number_of(const std::string& text) {
  const auto value = parse_number<double>(trim(text));
  return value && !std::isnan(*value) ? value : std::nullopt;
}

/// 1 or 0 for "true" and "false" in letters of any size.
std::optional<double> truth_of(const std::string& text) {
  std::string word = trim(text);
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "true") return 1.0;
  if (word == "false") return 0.0;
  return std::nullopt;
}

struct Value {
  std::string text;
  std::optional<double> number;
};

bool is_equal(const Value& a, const Value& b) {
  if (!a.number || !b.number) return a.text == b.text;
  // Doubles do not tell larger integers apart.
  const bool is_exact = std::abs(*a.number) < 0x1p53;
  return *a.number == *b.number && (is_exact || a.text == b.text);
}

}  // namespace

class ConditionParser {
 public:
  ConditionParser(const std::string& option, const std::string& text) : option_(option), text_(text) {
    advance();
  }

  Condition::Node all() {
    Condition::Node node = either();
    if (kind_ != Token::end) fail("and, or, or the end");
    return node;
  }

 private:
  using Kind = Condition::Kind;
  using Node = Condition::Node;
  enum class Token { end, word, quoted, sign };

  [[noreturn]] void fail(const std::string& expected) const {
    bad_input("{} '{}': {} at character {}, expected {}", option_, text_,
              kind_ == Token::end ? "ends" : "\"" + token_ + "\"", begin_ + 1, expected);
  }

  void advance() {
    constexpr std::string_view signs = "()[],=!<>";
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    begin_ = at_;
    token_.clear();
    kind_ = Token::end;
    if (at_ == text_.size()) return;
    const char first = text_[at_];
    if (first == '"' || first == '\'') {
      kind_ = Token::quoted;
      for (++at_; at_ < text_.size() && text_[at_] != first; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        token_ += text_[at_];
      }
      if (at_++ == text_.size())
        bad_input("{} '{}': the quotation mark at character {} is not closed, expected another one", option_,
                  text_, begin_ + 1);
      return;
    }
    kind_ = Token::sign;
    if (signs.find(first) != std::string_view::npos) {
      const bool is_comparison = std::string_view("=!<>").find(first) != std::string_view::npos;
      const std::size_t size = is_comparison && at_ + 1 < text_.size() && text_[at_ + 1] == '=' ? 2 : 1;
      token_ = text_.substr(at_, size);
      at_ += size;
      return;
    }
    kind_ = Token::word;
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) == 0 &&
           signs.find(text_[at_]) == std::string_view::npos && text_[at_] != '"' && text_[at_] != '\'')
      token_ += text_[at_++];
  }

  [[nodiscard]] bool is_sign(std::string_view sign) const { return kind_ == Token::sign && token_ == sign; }
  [[nodiscard]] bool is_keyword(std::string_view word) const {
    return kind_ == Token::word && token_ == word;
  }
  bool take_keyword(std::string_view word) {
    if (!is_keyword(word)) return false;
    advance();
    return true;
  }

  std::string take_text(const char* expected) {
    const bool is_word = kind_ == Token::word && !is_keyword("and") && !is_keyword("or") &&
                         !is_keyword("not") && !is_keyword("in");
    if (!is_word && kind_ != Token::quoted) fail(expected);
    std::string text = token_;
    advance();
    return text;
  }

  Node either() {
    Node node = both();
    if (!is_keyword("or")) return node;
    Node all{.kind = Kind::either, .parts = {std::move(node)}};
    while (take_keyword("or")) all.parts.push_back(both());
    return all;
  }

  Node both() {
    Node node = one();
    if (!is_keyword("and")) return node;
    Node all{.kind = Kind::both, .parts = {std::move(node)}};
    while (take_keyword("and")) all.parts.push_back(one());
    return all;
  }

  Node one() {
    constexpr int deepest = 100;  // far from what the stack holds
    if (depth_ == deepest) fail("parentheses and \"not\" no deeper than " + std::to_string(deepest));
    ++depth_;
    Node node = part();
    --depth_;
    return node;
  }

  Node part() {
    if (take_keyword("not")) return {.kind = Kind::opposite, .parts = {one()}};
    if (!is_sign("(")) return comparison();
    advance();
    Node node = either();
    if (!is_sign(")")) fail("and, or, or \")\"");
    advance();
    return node;
  }

  Node comparison() {
    static const std::vector<std::pair<std::string_view, Kind>> comparisons{
        {"==", Kind::equal}, {"!=", Kind::unequal}, {"<", Kind::less},
        {"<=", Kind::most},  {">", Kind::more},     {">=", Kind::least}};
    Node node{.kind = Kind::bare, .name = take_text("a column, \"not\" or \"(\"")};
    const bool is_opposite = take_keyword("not");
    if (is_opposite && !is_keyword("in")) fail("in");
    if (take_keyword("in")) {
      node.kind = Kind::in;
      if (!is_sign("[")) fail("\"[\"");
      do {
        advance();
        node.values.push_back(take_text("a value"));
      } while (is_sign(","));
      if (!is_sign("]")) fail("\",\" or \"]\"");
      advance();
      if (!is_opposite) return node;
      return {.kind = Kind::opposite, .parts = {std::move(node)}};
    }
    if (kind_ != Token::sign || is_sign(")")) return node;
    const auto found = std::ranges::find(comparisons, token_, [](const auto& pair) { return pair.first; });
    if (found == comparisons.end()) fail("==, !=, <, <=, >, >= or in");
    node.kind = found->second;
    advance();
    const std::size_t begin = begin_;
    node.values.push_back(take_text("a value"));
    const bool has_order = node.kind != Kind::equal && node.kind != Kind::unequal;
    if (has_order && !number_of(node.values[0]))
      bad_input("{} '{}': \"{}\" at character {}, expected a number to compare {} with", option_, text_,
                node.values[0], begin + 1, node.name);
    return node;
  }

  const std::string &option_, &text_;
  std::size_t at_ = 0, begin_ = 0;  ///< behind the token, and where it begins
  Token kind_ = Token::end;
  std::string token_;
  int depth_ = 0;
};

Condition::Condition(std::string option, std::string text)
    : option_(std::move(option)), text_(std::move(text)), root_(ConditionParser(option_, text_).all()) {}

std::vector<Condition::Truth> Condition::truths(const Node& node, std::size_t count,
                                                const ColumnOf& column_of, const std::string& table) const {
  std::vector<Truth> result(count);
  if (node.kind == Kind::both || node.kind == Kind::either || node.kind == Kind::opposite) {
    const Truth deciding = node.kind == Kind::either ? Truth::yes : Truth::no;
    result = truths(node.parts[0], count, column_of, table);
    for (std::size_t p = 1; p < node.parts.size(); ++p) {
      const std::vector<Truth> part = truths(node.parts[p], count, column_of, table);
      for (std::size_t i = 0; i < count; ++i)
        if (result[i] != deciding && part[i] != result[i])
          result[i] = part[i] == deciding ? deciding : Truth::unknown;
    }
    if (node.kind == Kind::opposite)
      for (Truth& truth : result)
        if (truth != Truth::unknown) truth = truth == Truth::yes ? Truth::no : Truth::yes;
    return result;
  }

  const std::vector<std::string> texts = column_of(node.name);
  const bool is_boolean = std::ranges::all_of(
      texts, [](const std::string& text) { return truth_of(text) || io::nwb::is_missing(text); });
  const auto value_of = [&](const std::string& text) {
    const auto truth = truth_of(text);
    return Value{text, is_boolean && truth ? truth : number_of(text)};
  };
  std::vector<Value> wanted;
  for (const std::string& text : node.values) {
    Value& value = wanted.emplace_back(value_of(text));
    if (!value.number) value.number = truth_of(text);  // of columns that hold 1 and 0
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (io::nwb::is_missing(texts[i])) {
      result[i] = Truth::unknown;
      continue;
    }
    const Value value = value_of(texts[i]);
    const auto is_wanted = [&](const Value& other) { return is_equal(value, other); };
    bool is_true = false;
    if (node.kind == Kind::equal || node.kind == Kind::in)
      is_true = std::ranges::any_of(wanted, is_wanted);
    else if (node.kind == Kind::unequal)
      is_true = !is_wanted(wanted[0]);
    else if (!value.number)
      bad_input("{}: {}: column \"{}\" holds \"{}\", expected {}", table, said(), node.name, texts[i],
                node.kind == Kind::bare ? "true and false, or numbers" : "numbers");
    else if (node.kind == Kind::bare)
      is_true = *value.number != 0;
    else if (node.kind == Kind::less)
      is_true = *value.number < *wanted[0].number;
    else if (node.kind == Kind::most)
      is_true = *value.number <= *wanted[0].number;
    else if (node.kind == Kind::more)
      is_true = *value.number > *wanted[0].number;
    else
      is_true = *value.number >= *wanted[0].number;
    result[i] = is_true ? Truth::yes : Truth::no;
  }
  return result;
}

std::vector<bool> Condition::rows(const std::string& table, std::size_t count,
                                  const ColumnOf& column_of) const {
  std::vector<bool> rows;
  for (const Truth truth : truths(root_, count, column_of, table)) rows.push_back(truth == Truth::yes);
  return rows;
}

}  // namespace lrid::measure
