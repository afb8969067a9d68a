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
/// The text broken at blanks into lines no wider than `width`; words that are wider are shortened.
std::vector<std::string> wrap(std::string_view text, double font_size, double width);

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

/// A place in a drawing, px from its upper left corner.
struct Coordinates {
  double x, y;
};

/// A drawing in px. Colours and fonts come from page/figure.css through class names, so that the same drawing
/// is right in light, in dark and on paper. Texts are escaped here.
class Svg {
 public:
  static constexpr double font_size = 12;  ///< of class "" in the style sheet
  static constexpr double small = 10.5;    ///< of class "small"

  /// `label` is what a screen reader says.
  Svg(double width, double height, std::string_view label);

  /// How the page may stretch the drawing: what lies between the margins is stretched, what lies in them
  /// keeps its distance from the edge. Without a call everything is stretched.
  void set_margins(double left, double right);

  void line(Coordinates from, Coordinates to, std::string_view css_class);
  /// What has a title is a mark: the page shows the title on hover and focus. `opacity` is that of the fill.
  void rect(Coordinates corner, double width, double height, std::string_view css_class,
            std::string_view title = "", double opacity = 1, double radius = 0);
  void circle(Coordinates centre, double radius, std::string_view css_class, std::string_view title = "");
  void polyline(const std::vector<Coordinates>& points, std::string_view css_class);
  void polygon(const std::vector<Coordinates>& points, std::string_view css_class);
  void text(Coordinates at, std::string_view text, std::string_view css_class = "",
            Anchor anchor = Anchor::start, double rotate = 0);

  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }
  /// The svg element for the page.
  [[nodiscard]] std::string str() const;
  /// The elements in it, to be placed in another drawing.
  [[nodiscard]] const std::string& content() const { return content_; }

 private:
  double width_, height_, left_ = 0, right_ = 0;
  std::string label_, content_;
};

}  // namespace lrid::report
