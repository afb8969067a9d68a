#pragma once

#include <functional>
#include <string>
#include <vector>

#include "svg.hpp"
#include "view.hpp"

namespace lrid::report {

/// Figures are rows of small panels that wrap where the page is narrow. A panel is never scaled, so its
/// letters stay as large as the text's.
inline constexpr double panel_width = 320;

/// A panel with its heading.
std::string panel(std::string_view heading, std::string_view content);
/// Panels side by side.
std::string panels(const std::string& content);

/// An entry of a legend: its key and what it stands for.
struct LegendEntry {
  std::string key_html, text;
};
std::string legend(const std::vector<LegendEntry>& entries);
/// A dot as a legend's key.
std::string dot_key(std::string_view css_class);
/// A line in the colour and dash pattern of series `index` as a legend's key.
std::string series_key(std::size_t index);
/// CSS classes of series `index`: colours repeat after 8, with other dash patterns.
std::string series_class(std::size_t index);

/// The frame of a panel of accuracies: rows with a label and a number above a track from 0 to 1, an axis at
/// the bottom, and where finite the chance level. What is drawn on the tracks is the figure's own.
class AccuracyRows {
 public:
  AccuracyRows(std::size_t rows, double chance, std::string_view label);
  /// Draws a row's label and number; where the middle of its track is.
  double row(std::string_view label, std::string_view value);
  /// Px of an accuracy, which is clamped to 0–1.
  [[nodiscard]] double x(double accuracy) const;
  /// Draws the chance level over what is on the tracks; to be called last.
  [[nodiscard]] std::string str();
  Svg svg;

 private:
  double chance_;
  std::size_t drawn_ = 0;
};

/// A labelled accuracy.
struct Bar {
  std::string label;
  io::Figure figure;
  std::string css_class = "bar";
};
/// Horizontal bars with s.e.m. whiskers and a tick under the bar for each split.
std::string accuracy_bars(const std::vector<Bar>& bars, double chance, std::string_view label);

inline constexpr std::string_view how_to_read =
    "Bars are means over the splits, whiskers ± s.e.m., ticks below them single splits";

/// A panel of bars with its heading and chance level (NaN: none drawn).
struct BarPanel {
  std::string heading;
  std::vector<Bar> bars;
  double chance;
};
std::string bar_panels(const std::vector<BarPanel>& all, std::string_view what);
/// A panel for each classifier and measure, with the bars that `bars` makes of its rows.
std::vector<BarPanel> bar_panels_of(const RowRefs& rows,
                                    const std::function<std::vector<Bar>(const RowRefs&)>& bars);
/// The same with a bar for each row, labelled by its value of a condition key.
std::vector<BarPanel> bar_panels_of(const RowRefs& rows, const std::string& key);
/// ", against a chance of 0.25", or that it cannot be told from it; "" without a finite chance.
std::string against_chance(const io::Figure& figure, double chance);

/// Width that the widest of these labels takes, at most `most`.
double label_width(const std::vector<std::string>& labels, double font_size, double most);

/// A matrix of values 0–1 shown as shades with their numbers. NaN cells are empty.
struct HeatMap {
  std::vector<std::string> row_labels, column_labels;
  std::string row_title, column_title;
  std::vector<std::vector<double>> shade{};        ///< [row][column], 0–1
  std::vector<std::vector<std::string>> main{};    ///< [row][column] number in the cell
  std::vector<std::vector<std::string>> detail{};  ///< [row][column] small, below it; may be empty
};
std::string heat_map(const HeatMap& map, std::string_view label);

}  // namespace lrid::report
