#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exhibit.hpp"
#include "view.hpp"

namespace lrid::report {

/// Drawings are made this wide; the page stretches them to the width there is (Svg::set_margins).
inline constexpr double panel_width = 340;

// --- Legends

/// A dot, a square or the line of series `index` as a legend's key.
LegendEntry dot_entry(std::string_view css_class, std::string text);
LegendEntry square_entry(std::string_view css_class, std::string text);
LegendEntry series_entry(std::size_t index, std::string text);
/// The shades from 0 to 1 with their ends' values: the colour bar of a heat map.
LegendEntry colour_bar(std::string title, const std::string& low = "0", const std::string& high = "1");
/// CSS classes of series `index`: colours repeat after 8, with other dashes.
std::string series_class(std::size_t index);
/// The colour of series `index` alone, for what is filled.
std::string series_colour(std::size_t index);

// --- Rows: a label and a number above a track along which values are drawn

/// What a row's track or a plot's axis measures.
struct Axis {
  double low = 0, high = 1;
  std::string title = "accuracy";
  int decimals = 2;  ///< of the rows' numbers and the ticks
};

class Rows {
 public:
  /// `chance` is a level to mark, NaN for none; `with_codes` makes room for a code below each label.
  Rows(std::size_t count, const Axis& axis, double chance, std::string_view label, bool with_codes = false);

  /// Begins the next row. `value` is the number at its right.
  void begin(std::string_view label, std::string_view value, std::string_view code = "");
  /// Draws in the current row: a bar with whiskers and a tick for each split, or a dot with whiskers.
  void bar(const Figure& figure, std::string_view css_class, std::string_view title);
  void dot(const Figure& figure, std::string_view css_class, std::string_view title);
  /// Connects two values.
  void link(double from, double to);
  /// The drawing. Marks the chance level over everything else, so nothing may be drawn afterwards.
  [[nodiscard]] Svg finish();

 private:
  [[nodiscard]] double x(double value) const;
  [[nodiscard]] double track() const;  ///< middle of the current row's track
  void whiskers(const Figure& figure);

  Axis axis_;
  double chance_, row_height_;
  bool with_codes_;
  std::size_t begun_ = 0;
  Svg svg_;
};

/// A labelled bar.
struct Bar {
  std::string label;
  Figure figure;
  std::string css_class = "bar";
  std::string code{};  ///< below the label
};
/// Bars under a heading, with a chance level (NaN: none).
struct BarPanel {
  std::string heading;
  std::vector<Bar> bars;
  double chance;
  Axis axis{};
};

/// How to read whiskers: `rows` tells whether there are intervals over networks.
std::string about_whiskers(const RowRefs& rows);
/// The same for bars, which have ticks besides.
std::string about_bars(const RowRefs& rows);
/// "label: 0.831 ± 0.012 (spread over splits)".
std::string mark_title(const std::string& label, const Figure& figure);
/// Adds the panels and their numbers to a figure. `what` is the title of the numbers' column.
void add_bars(Exhibit& exhibit, const std::vector<BarPanel>& panels, const std::string& what = "accuracy");
/// A panel for each classifier and measure, with the bars that `bars` makes of its rows.
std::vector<BarPanel> bar_panels(const RowRefs& rows,
                                 const std::function<std::vector<Bar>(const RowRefs&)>& bars);
/// The same with a bar for each row, labelled by `label`.
std::vector<BarPanel> bar_panels(const RowRefs& rows, const std::function<std::string(const Row&)>& label);

/// A figure of a row before and after something changed; without `before` there is nothing to compare with.
struct PairedRow {
  std::string label;
  std::optional<Figure> before;
  Figure after;
};
struct PairedPanel {
  std::string heading;
  std::vector<PairedRow> rows;
  double chance;
};
/// Adds panels of linked dots, hollow before and filled after, with their legend and numbers.
void add_pairs(Exhibit& exhibit, const std::vector<PairedPanel>& panels, const std::string& before,
               const std::string& after, const Axis& axis = {});

/// ", against a chance of 0.25", or that the two can't be told apart; "" without a finite chance.
std::string against_chance(const Figure& figure, double chance);

// --- Plots

/// Curves and dots over two axes.
class Plot {
 public:
  static constexpr double height = 230;

  Plot(const Axis& across, const Axis& up, std::string_view label);
  /// Labels the horizontal axis at these values; labels that would touch are left out.
  void ticks_across(const std::vector<std::pair<double, std::string>>& ticks);
  void dot(double x, double y, double radius, std::string_view css_class, std::string_view title);
  void whisker(double x, const Range& range);
  /// A curve through points, and a band around it.
  void curve(const std::vector<std::pair<double, double>>& points, std::string_view css_class);
  void band(const std::vector<std::pair<double, Range>>& points, std::string_view css_class);
  /// A line across the plot.
  void level(double y);
  void diagonal();
  [[nodiscard]] Svg finish() && { return std::move(svg_); }

 private:
  [[nodiscard]] Coordinates at(double x, double y) const { return {x_(x), y_(y)}; }

  Svg svg_;
  Scale x_, y_;
};

// --- Heat maps

/// A matrix of values 0–1 shown as shades with their numbers. NaN stays empty.
struct HeatMap {
  std::string heading;
  std::vector<std::string> row_labels, column_labels;
  std::string row_title, column_title;
  std::vector<std::vector<double>> value{};        ///< [row][column], for CSV
  std::vector<std::vector<double>> shade{};        ///< [row][column], 0–1; empty: the value
  std::vector<std::vector<std::string>> text{};    ///< [row][column], the number shown
  std::vector<std::vector<std::string>> detail{};  ///< [row][column], small below it; may be empty
};
/// Adds the map and its numbers to a figure. `what` is the title of the numbers' column.
void add_heat_map(Exhibit& exhibit, const HeatMap& map, const std::string& what);
/// Accuracy over two conditions: a map for each classifier and measure.
void add_accuracy_maps(Exhibit& exhibit, const RowRefs& rows, const std::string& down,
                       const std::string& across, const std::string& down_title,
                       const std::string& across_title);

}  // namespace lrid::report
