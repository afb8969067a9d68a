#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::report {

/// Text made safe for HTML and SVG content and quoted attributes; control characters become U+FFFD.
std::string escape(std::string_view text);

/// "0.83", "–" for NaN.
std::string number(double value, int decimals = 2);
/// "83 %", without decimals.
std::string percent(double share);
/// "0.831 [0.790, 0.870]" with a 95 % interval over networks, else "0.831 ± 0.012" with the spread over
/// splits, else "0.831".
std::string with_range(const io::Figure& figure, int decimals = 3);
/// "p < 0.001", "p = 0.013"; "" without a p-value.
std::string p_text(const io::Figure& figure);
/// 1/n with as many decimals as it needs, at most three: "0.25", "0.125", "0.333".
std::string chance_text(double chance);
/// A whole number with thin spaces between groups of three: "12 345".
std::string count(std::int64_t value);

/// "a", "a and b", "a, b and c".
std::string enumerate(const std::vector<std::string>& items);
/// The text with its first letter in upper case (ASCII).
std::string sentence(std::string text);
/// Letters, digits and hyphens only, for file names and ids: "none-of-these".
std::string slug(std::string_view text);
/// A data: URI of this content.
std::string data_uri(std::string_view media_type, std::string_view content);

}  // namespace lrid::report
