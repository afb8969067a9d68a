#include "svg.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "markup.hpp"

namespace lrid::report {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;  // UTF-8
}

std::string with_title(std::string_view element, std::string_view attributes, std::string_view title) {
  if (title.empty()) return fmt::format("<{} {}/>", element, attributes);
  return fmt::format("<{0} {1}><title>{2}</title></{0}>", element, attributes, escape(title));
}

std::string points_attribute(const std::vector<Coordinates>& points) {
  std::string text;
  for (const Coordinates& point : points)
    text += fmt::format("{}{:.1f},{:.1f}", text.empty() ? "" : " ", point.x, point.y);
  return text;
}

}  // namespace

double text_width(std::string_view text, double font_size) {
  double width = 0;
  for (const char c : text) {
    if (continues_character(c)) continue;
    const bool narrow = std::string_view("ijlI.,:;|!'() ").find(c) != std::string_view::npos;
    const bool wide = std::string_view("mwMW%@").find(c) != std::string_view::npos || (c >= 'A' && c <= 'Z');
    width += narrow ? 0.36 : wide ? 0.78 : 0.59;
  }
  return width * font_size;
}

std::string shorten(std::string_view text, double font_size, double width) {
  if (text_width(text, font_size) <= width) return std::string(text);
  const double ellipsis = 0.9 * font_size;
  std::size_t length = 0;
  for (std::size_t next = 1; next <= text.size(); ++next) {
    if (next < text.size() && continues_character(text[next])) continue;
    if (text_width(text.substr(0, next), font_size) + ellipsis > width) break;
    length = next;
  }
  return std::string(text.substr(0, length)) + "…";
}

std::vector<std::string> wrap(std::string_view text, double font_size, double width) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    const std::string longer = line.empty() ? std::string(word) : fmt::format("{} {}", line, word);
    if (line.empty() || text_width(longer, font_size) <= width) {
      line = longer;
    } else {
      lines.push_back(std::move(line));
      line = word;
    }
  }
  if (!line.empty()) lines.push_back(std::move(line));
  for (std::string& one : lines) one = shorten(one, font_size, width);
  return lines;
}

std::vector<double> ticks(double low, double high, int most) {
  if (!std::isfinite(low) || !std::isfinite(high)) return {};
  if (high < low) std::swap(low, high);
  if (high - low < 1e-12 * std::max(1.0, std::abs(low))) return {low};
  // 1, 2 or 5 times a power of ten: the smallest that gives few enough.
  const double magnitude = std::pow(10, std::floor(std::log10((high - low) / most)));
  double step = magnitude;
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    step = factor * magnitude;
    if (std::floor(high / step) - std::ceil(low / step) + 1 <= most) break;
  }
  std::vector<double> values;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    values.push_back(i * step);
  return values;
}

int tick_decimals(const std::vector<double>& values) {
  if (values.size() < 2) return 1;
  return std::clamp(static_cast<int>(-std::floor(std::log10(values[1] - values[0]) + 1e-9)), 0, 6);
}

Svg::Svg(double width, double height, std::string_view label)
    : width_(width), height_(height), label_(label) {}

void Svg::set_margins(double left, double right) {
  left_ = left;
  right_ = right;
}

void Svg::line(Coordinates from, Coordinates to, std::string_view css_class) {
  content_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                          css_class, from.x, from.y, to.x, to.y);
}

void Svg::rect(Coordinates corner, double width, double height, std::string_view css_class,
               std::string_view title, double opacity, double radius) {
  std::string attributes =
      fmt::format("class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"", css_class,
                  corner.x, corner.y, std::max(0.0, width), std::max(0.0, height));
  if (opacity < 1) attributes += fmt::format(" fill-opacity=\"{:.3f}\"", opacity);
  if (radius > 0) attributes += fmt::format(" rx=\"{:.1f}\"", radius);
  content_ += with_title("rect", attributes, title) + "\n";
}

void Svg::circle(Coordinates centre, double radius, std::string_view css_class, std::string_view title) {
  content_ += with_title("circle",
                         fmt::format("class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"", css_class,
                                     centre.x, centre.y, radius),
                         title) +
              "\n";
}

void Svg::polyline(const std::vector<Coordinates>& points, std::string_view css_class) {
  content_ += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", css_class, points_attribute(points));
}

void Svg::polygon(const std::vector<Coordinates>& points, std::string_view css_class) {
  content_ += fmt::format("<polygon class=\"{}\" points=\"{}\"/>\n", css_class, points_attribute(points));
}

void Svg::text(Coordinates at, std::string_view text, std::string_view css_class, Anchor anchor,
               double rotate) {
  static constexpr std::string_view anchors[] = {"start", "middle", "end"};
  std::string attributes = fmt::format("x=\"{:.1f}\" y=\"{:.1f}\"", at.x, at.y);
  if (!css_class.empty()) attributes += fmt::format(" class=\"{}\"", css_class);
  if (anchor != Anchor::start)
    attributes += fmt::format(" text-anchor=\"{}\"", anchors[static_cast<std::size_t>(anchor)]);
  if (rotate != 0)
    attributes += fmt::format(" transform=\"rotate({:.0f} {:.1f} {:.1f})\"", rotate, at.x, at.y);
  content_ += fmt::format("<text {}>{}</text>\n", attributes, escape(text));
}

std::string Svg::str() const {
  return fmt::format(
      "<svg class=\"drawing\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "data-left=\"{:.0f}\" "
      "data-right=\"{:.0f}\">\n{}</svg>\n",
      escape(label_), width_, height_, left_, right_, content_);
}

}  // namespace lrid::report
