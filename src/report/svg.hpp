#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lrid::report {

/// Width of a text in px at a font size, by a mean width per character: a little too wide rather than too
/// narrow, since nothing can measure fonts here.
double text_width(std::string_view text, double font_size);
/// The text, or its beginning and an ellipsis, no wider than `width`.
std::string shorten(std::string_view text, double font_size, double width);

/// A linear map from data to px.
struct Scale {
  double data_low, data_high, px_low, px_high;
  double operator()(double value) const {
    return px_low + (value - data_low) / (data_high - data_low) * (px_high - px_low);
  }
};

/// Round values that cover [low, high], at most `most` of them. The range may be empty or reversed.
std::vector<double> ticks(double low, double high, int most);
/// Decimals needed to tell these ticks apart.
int tick_decimals(const std::vector<double>& values);

enum class Anchor { start, middle, end };

struct Point {
  double x, y;
};

/// A drawing in px. Colours and fonts come from the page's style sheet through class names, so that the same
/// drawing is right in light, in dark and on paper. Texts are escaped here.
class Svg {
 public:
  static constexpr double font_size = 12;  ///< of class "" in the style sheet
  static constexpr double small = 10.5;    ///< of class "small"

  /// `label` is what a screen reader says.
  Svg(double width, double height, std::string_view label);

  void line(Point from, Point to, std::string_view css_class);
  /// `title` is shown on hovering; `opacity` of the fill.
  void rect(Point corner, double width, double height, std::string_view css_class,
            std::string_view title = "", double opacity = 1, double radius = 0);
  void circle(Point centre, double radius, std::string_view css_class, std::string_view title = "");
  void polyline(const std::vector<Point>& points, std::string_view css_class);
  void polygon(const std::vector<Point>& points, std::string_view css_class);
  void text(Point at, std::string_view text, std::string_view css_class = "", Anchor anchor = Anchor::start,
            double rotate = 0);

  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] std::string str() const;

 private:
  double width_, height_;
  std::string label_, content_;
};

}  // namespace lrid::report
