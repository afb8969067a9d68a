#pragma once

#include <optional>
#include <string>
#include <vector>

#include "svg.hpp"
#include "table.hpp"

namespace lrid::report {

/// A drawing with its heading.
struct Panel {
  std::string heading;
  Svg drawing;
};

/// A key of a legend and what it stands for.
struct LegendEntry {
  Svg key;
  std::string text;
};

/// What an exhibit is about. The summary takes its bullets in this order, one a topic.
enum class Topic { held_out, controls, measures, sets, importances, novelty, confusions, networks, other };

/// A figure (with panels) or a table (without) of the page, in plain text.
struct Exhibit {
  std::string title;
  Topic topic = Topic::other;
  std::string finding{};  ///< what it shows, in a sentence; may be empty
  std::string caption{};  ///< how to read it
  std::vector<LegendEntry> legend{};
  std::vector<Panel> panels{};
  Table table{};  ///< of a figure the numbers that it shows, for CSV

  [[nodiscard]] bool is_figure() const { return !panels.empty(); }
};

/// Numbers of figures and tables are counted apart.
struct NumberedExhibit {
  Exhibit exhibit;
  int number;

  [[nodiscard]] std::string kind() const { return exhibit.is_figure() ? "Figure" : "Table"; }
  /// "figure-3": its id on the page, and the beginning of its files' names.
  [[nodiscard]] std::string id() const;
  /// "figure-03-none-of-these".
  [[nodiscard]] std::string file_stem() const;
};

/// The figure as an SVG file of its own: title, legend and panels in the light colours, legible without the
/// page.
std::string standalone_svg(const NumberedExhibit& figure);

}  // namespace lrid::report
