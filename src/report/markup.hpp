#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::report {

/// Text made safe for HTML content and quoted attributes; control characters become U+FFFD.
std::string escape(std::string_view text);

/// "0.83", "–" for NaN.
std::string number(double value, int decimals = 2);
/// "0.83 ± 0.01", without the error where it is 0 or unknown; one decimal more where it would
/// read as 0.
std::string with_error(const io::Figure& figure, int decimals = 2);
/// 1/n with as many decimals as it needs, at most three: "0.25", "0.125", "0.333".
std::string chance_text(double chance);
/// A whole number with thin spaces between groups of three: "12 345".
std::string count(std::int64_t value);

/// "a", "a and b", "a, b and c".
std::string enumerate(const std::vector<std::string>& items);
/// First letter in upper case (ASCII).
std::string sentence(std::string text);

/// A table cell, already escaped, and whether it holds a number (then aligned right).
struct Cell {
  std::string html;
  bool numeric = false;
};
/// A table that scrolls sideways in its own box where the page is too narrow.
std::string table(const std::vector<Cell>& header, const std::vector<std::vector<Cell>>& rows,
                  std::string_view css_class = "");

/// A folded part of the page.
std::string folded(std::string_view summary, std::string_view html);

}  // namespace lrid::report
