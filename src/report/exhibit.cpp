#include "exhibit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "markup.hpp"
#include "page_files.hpp"

namespace lrid::report {
namespace {

constexpr double margin = 20, gap = 28, heading_height = 22, title_height = 26, legend_height = 20;
constexpr double bold_font_size = 1.1 * Svg::font_size;  // as wide as bold letters
constexpr std::size_t most_columns = 3;

/// figure.css for programs that know no custom properties: each var(--name) replaced by the light colour,
/// which the first block of the file declares.
std::string plain_style() {
  std::string style(figure_css);
  const std::size_t end_of_palette = style.find('}');
  std::string palette = style.substr(0, end_of_palette);
  style.erase(0, end_of_palette + 1);
  for (std::size_t at = style.find("var("); at != std::string::npos; at = style.find("var(", at)) {
    const std::size_t end = style.find(')', at);
    const std::string name = style.substr(at + 4, end - at - 4) + ":";
    const std::size_t begin = palette.find(name) + name.size();
    std::string colour = palette.substr(begin, palette.find(';', begin) - begin);
    colour.erase(0, colour.find_first_not_of(' '));
    style.replace(at, end + 1 - at, colour);
  }
  return style;
}

std::string placed(double x, double y, const std::string& content) {
  return fmt::format("<g transform=\"translate({:.1f} {:.1f})\">\n{}</g>\n", x, y, content);
}

}  // namespace

std::string NumberedExhibit::id() const {
  return fmt::format("{}-{}", exhibit.is_figure() ? "figure" : "table", number);
}

std::string NumberedExhibit::file_stem() const {
  return fmt::format("{}-{:02}-{}", exhibit.is_figure() ? "figure" : "table", number,
                     slug(exhibit.title).substr(0, 60));
}

std::string standalone_svg(const NumberedExhibit& figure) {
  const Exhibit& exhibit = figure.exhibit;
  const std::size_t columns = std::min(most_columns, exhibit.panels.size());
  const double panel_width = exhibit.panels.front().drawing.width();
  double width =
      2 * margin + static_cast<double>(columns) * panel_width + static_cast<double>(columns - 1) * gap;
  const auto taken_by = [](const LegendEntry& entry) {
    return entry.key.width() + 8 + text_width(entry.text, Svg::font_size) + 20;
  };
  for (const LegendEntry& entry : exhibit.legend) width = std::max(width, taken_by(entry) + 2 * margin);
  std::string content;
  double y = margin;

  Svg titles(width, 0, "");
  for (const std::string& line :
       wrap(fmt::format("Figure {}. {}", figure.number, exhibit.title), 15, width - 2 * margin)) {
    titles.text({margin, y + 14}, line, "title");
    y += title_height;
  }
  double x = margin;
  for (const LegendEntry& entry : exhibit.legend) {
    const double taken = taken_by(entry);
    if (x > margin && x + taken > width - margin) {
      x = margin;
      y += legend_height;
    }
    content += placed(x, y + 1, entry.key.content());
    titles.text({x + entry.key.width() + 8, y + 11}, entry.text);
    x += taken;
  }
  if (!exhibit.legend.empty()) y += legend_height + 8;

  for (std::size_t first = 0; first < exhibit.panels.size(); first += columns) {
    double row_height = 0;
    for (std::size_t i = first; i < std::min(first + columns, exhibit.panels.size()); ++i) {
      const Panel& panel = exhibit.panels[i];
      x = margin + static_cast<double>(i - first) * (panel_width + gap);
      titles.text({x, y + 12}, shorten(panel.heading, bold_font_size, panel_width), "heading");
      content += placed(x, y + heading_height, panel.drawing.content());
      row_height = std::max(row_height, panel.drawing.height());
    }
    y += heading_height + row_height + gap / 2;
  }
  const double height = y + margin - gap / 2;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\">\n<title>{2}</title>\n<style>{3}</style>\n<rect class=\"paper\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\"/>\n{4}{5}</svg>\n",
      width, height, escape(exhibit.title), plain_style(), titles.content(), content);
}

}  // namespace lrid::report
