#include "markup.hpp"

#include <cctype>
#include <cmath>

#include <fmt/format.h>

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

std::string with_error(const io::Figure& figure, int decimals) {
  if (!std::isfinite(figure.mean) || !std::isfinite(figure.sem) || figure.sem == 0)
    return number(figure.mean, decimals);
  if (figure.sem < 0.5 * std::pow(10, -decimals)) ++decimals;  // rather than an error of 0.00
  return fmt::format("{}\u00a0±\u00a0{}", number(figure.mean, decimals), number(figure.sem, decimals));
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

std::string table(const std::vector<Cell>& header, const std::vector<std::vector<Cell>>& rows,
                  std::string_view css_class) {
  const auto cell = [](std::string_view tag, const Cell& content, std::string_view attributes = "") {
    return fmt::format("<{0}{1}{2}>{3}</{0}>", tag, attributes, content.numeric ? " class=\"n\"" : "",
                       content.html);
  };
  // What scrolls must be reachable by keyboard.
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"table\"><table";
  if (!css_class.empty()) html += fmt::format(" class=\"{}\"", css_class);
  html += "><thead><tr>";
  for (const Cell& title : header) html += cell("th", title, " scope=\"col\"");
  html += "</tr></thead><tbody>\n";
  for (const std::vector<Cell>& row : rows) {
    html += "<tr>";
    for (const Cell& content : row) html += cell("td", content);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string folded(std::string_view summary, std::string_view html) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n", escape(summary), html);
}

}  // namespace lrid::report
