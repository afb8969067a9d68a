#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lrid {

/// Returns the candidate at the smallest edit distance, "" if more than a third of the letters differ from
/// each.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Returns `one of a, b, c (nearest: b)`, for error messages.
std::string expected_one_of(const std::vector<std::string>& names, std::string_view given);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string trim(std::string_view text);

/// Returns "1 layer" or "2 layers"; `many` is an irregular plural: counted(2, "class", "classes").
template <class Integer>
std::string counted(Integer count, std::string_view one, std::string_view many = {}) {
  std::string text = std::to_string(count) + " ";
  text += count == 1 || many.empty() ? one : many;
  if (count != 1 && many.empty()) text += "s";
  return text;
}

/// Returns the number that the whole text spells (as std::from_chars: no blanks, no plus sign), or nothing.
/// For std::int64_t, std::uint64_t and double.
template <class T>
std::optional<T> parse_number(std::string_view text);
/// The same for hexadecimal digits.
std::optional<std::uint64_t> parse_hexadecimal(std::string_view text);

/// Returns the shortest decimal that reads back as this double, with a point or exponent ("1.0", "5e-06").
std::string format_double(double value);

}  // namespace lrid
