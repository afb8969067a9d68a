#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lrid {

/// The candidate with the smallest edit distance, "" if none is near (more than a third of the letters
/// differ).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// `one of a, b, c (nearest: b)`, for error messages.
std::string expected_one_of(const std::vector<std::string>& names, std::string_view given);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string trim(std::string_view text);

/// "1 layer", "2 layers"; `many` is the plural that takes more than an s: counted(2, "class", "classes").
template <class Integer>
std::string counted(Integer count, std::string_view one, std::string_view many = {}) {
  std::string text = std::to_string(count) + " ";
  text += count == 1 || many.empty() ? one : many;
  if (count != 1 && many.empty()) text += "s";
  return text;
}

/// The number that all of the text is (std::from_chars: no blanks, no plus sign); nothing if it is none. For
/// std::int64_t, std::uint64_t and double.
template <class T>
std::optional<T> parse_number(std::string_view text);
/// The same of hexadecimal digits.
std::optional<std::uint64_t> parse_hexadecimal(std::string_view text);

/// Shortest decimal that reads back as the same double, always recognisable as a float ("1.0", "5e-06").
std::string format_double(double value);

}  // namespace lrid
