#include "markup.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "view.hpp"

namespace lrid::report {

std::string escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
          result += "\uFFFD";
        else
          result += c;
    }
  }
  return result;
}

std::string number(double value, int decimals) {
  if (!std::isfinite(value)) return "–";
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  if (text[0] == '-') text = (zero ? "" : "−") + text.substr(1);
  return text;
}

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.0f}\u202f%", 100 * share) : "–";
}

std::string with_range(const io::Figure& figure, int decimals) {
  const std::string mean = number(figure.mean, decimals);
  if (figure.interval)
    return fmt::format("{}\u00a0[{},\u00a0{}]", mean, number(figure.interval->front(), decimals),
                       number(figure.interval->back(), decimals));
  const double spread = spread_over_splits(figure);
  if (!std::isfinite(spread)) return mean;
  return fmt::format("{}\u00a0±\u00a0{}", mean, number(spread, decimals));
}

std::string p_text(const io::Figure& figure) {
  if (!figure.p || !std::isfinite(*figure.p)) return "";
  return *figure.p < 0.001 ? "p\u00a0<\u00a00.001" : fmt::format("p\u00a0=\u00a0{}", number(*figure.p, 3));
}

std::string chance_text(double chance) {
  return number(chance, std::abs(100 * chance - std::round(100 * chance)) < 1e-9 ? 2 : 3);
}

std::string count(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, "\u2009");
  }
  return digits;
}

std::string enumerate(const std::vector<std::string>& items) {
  std::string result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) result += i + 1 == items.size() ? " and " : ", ";
    result += items[i];
  }
  return result;
}

std::string sentence(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string slug(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!result.empty() && result.back() != '-')
      result += '-';
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result;
}

std::string data_uri(std::string_view media_type, std::string_view content) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result = fmt::format("data:{};base64,", media_type);
  result.reserve(result.size() + content.size() * 4 / 3 + 4);
  for (std::size_t at = 0; at < content.size(); at += 3) {
    const std::size_t bytes = std::min<std::size_t>(3, content.size() - at);
    std::uint32_t block = 0;
    for (std::size_t i = 0; i < 3; ++i)
      block = block << 8U | (i < bytes ? static_cast<unsigned char>(content[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) result += i <= bytes ? digits[block >> (18U - 6U * i) & 63U] : '=';
  }
  return result;
}

}  // namespace lrid::report
