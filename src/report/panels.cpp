#include "panels.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "markup.hpp"
#include "svg.hpp"

namespace lrid::report {

std::string panel(std::string_view heading, std::string_view content) {
  return fmt::format("<div class=\"panel\">{}{}</div>\n",
                     heading.empty() ? "" : fmt::format("<h4>{}</h4>\n", escape(heading)), content);
}

std::string panels(const std::string& content) {
  return "<div class=\"panels\">\n" + content + "</div>\n";
}

std::string legend(const std::vector<LegendEntry>& entries) {
  std::string html = "<ul class=\"legend\">";
  for (const LegendEntry& entry : entries)
    html += fmt::format("<li>{}<span>{}</span></li>", entry.key_html, escape(entry.text));
  return html + "</ul>\n";
}

std::string dot_key(std::string_view css_class) {
  return fmt::format(
      "<svg aria-hidden=\"true\" width=\"14\" height=\"12\" viewBox=\"0 0 14 12\"><circle class=\"{}\" "
      "cx=\"7\" cy=\"6\" "
      "r=\"4.5\"/></svg>",
      css_class);
}

std::string series_class(std::size_t index) {
  const std::string colour = fmt::format("series-{}", index % 8);
  // Dashes tell neighbours apart without colour, and series of the same colour from each other.
  return fmt::format("{} dash-{}", colour, (index % 4 + index / 8) % 4);
}

std::string series_key(std::size_t index) {
  return fmt::format(
      "<svg aria-hidden=\"true\" width=\"30\" height=\"12\" viewBox=\"0 0 30 12\"><line class=\"curve {}\" "
      "x1=\"1\" "
      "y1=\"6\" x2=\"29\" y2=\"6\"/></svg>",
      series_class(index));
}

double label_width(const std::vector<std::string>& labels, double font_size, double most) {
  double width = 20;
  for (const std::string& label : labels) width = std::max(width, text_width(label, font_size) + 10);
  return std::min(width, most);
}

namespace {

constexpr double row_height = 42, rows_top = 18, track_height = 10, track_below_row = 27;

double track_middle(std::size_t row) {
  return rows_top + static_cast<double>(row) * row_height + track_below_row;
}

}  // namespace

AccuracyRows::AccuracyRows(std::size_t rows, double chance, std::string_view label)
    : svg(panel_width, rows_top + static_cast<double>(rows) * row_height + 20, label), chance_(chance) {
  const double axis = rows_top + static_cast<double>(rows) * row_height + 16;
  for (std::size_t i = 0; i < rows; ++i)
    svg.rect({0, track_middle(i) - track_height / 2}, panel_width, track_height, "track", "", 1, 2);
  svg.text({0, axis}, "0", "small");
  for (const double tick : {0.25, 0.5, 0.75})
    svg.text({x(tick), axis}, number(tick), "small", Anchor::middle);
  svg.text({panel_width, axis}, "1", "small", Anchor::end);
  if (std::isfinite(chance))
    svg.text({std::max(34.0, x(chance)), 11}, "chance " + chance_text(chance), "small chance-text",
             Anchor::middle);
}

double AccuracyRows::row(std::string_view label, std::string_view value) {
  const double middle = track_middle(drawn_++);
  svg.text({0, middle - 12},
           shorten(label, Svg::font_size, panel_width - text_width(value, Svg::font_size) - 12));
  svg.text({panel_width, middle - 12}, value, "strong", Anchor::end);
  return middle;
}

double AccuracyRows::x(double accuracy) const {
  return std::clamp(accuracy, 0.0, 1.0) * panel_width;
}

std::string AccuracyRows::str() {
  if (std::isfinite(chance_))
    for (std::size_t i = 0; i < drawn_; ++i)
      svg.line({x(chance_), track_middle(i) - 7}, {x(chance_), track_middle(i) + 9}, "chance");
  return svg.str();
}

std::string accuracy_bars(const std::vector<Bar>& bars, double chance, std::string_view label) {
  AccuracyRows rows(bars.size(), chance, label);
  for (const Bar& bar : bars) {
    const io::Figure& figure = bar.figure;
    const double y = rows.row(bar.label, with_error(figure));
    if (!std::isfinite(figure.mean)) continue;
    rows.svg.rect({0, y - track_height / 2}, rows.x(figure.mean), track_height, bar.css_class,
                  fmt::format("{}: {}", bar.label, with_error(figure, 3)), 1, 2);
    if (figure.splits.size() > 1)
      for (const double split : figure.splits)
        if (std::isfinite(split)) rows.svg.line({rows.x(split), y + 6.5}, {rows.x(split), y + 11}, "split");
    if (std::isfinite(figure.sem) && figure.sem > 0) {
      const double low = rows.x(figure.mean - figure.sem), high = rows.x(figure.mean + figure.sem);
      rows.svg.line({low, y}, {high, y}, "whisker");
      rows.svg.line({low, y - 3.5}, {low, y + 3.5}, "whisker");
      rows.svg.line({high, y - 3.5}, {high, y + 3.5}, "whisker");
    }
  }
  return rows.str();
}

std::string bar_panels(const std::vector<BarPanel>& all, std::string_view what) {
  std::string html;
  for (const BarPanel& one : all)
    html += panel(one.heading, accuracy_bars(one.bars, one.chance, fmt::format("{}, {}", what, one.heading)));
  return panels(html);
}

std::vector<BarPanel> bar_panels_of(const RowRefs& rows,
                                    const std::function<std::vector<Bar>(const RowRefs&)>& bars) {
  std::vector<BarPanel> result;
  const std::vector<std::string> measures = values_of(rows, "measure");
  for (const std::string& classifier : values_of(rows, "classifier"))
    for (const std::string& measure : measures) {
      const RowRefs own = rows_where(rows_where(rows, "classifier", classifier), "measure", measure);
      if (own.empty()) continue;
      result.push_back({sentence(classifier_title(classifier)), bars(own), common_chance(own)});
      if (measures.size() > 1) result.back().heading += ", " + measure_title(measure);
    }
  return result;
}

std::vector<BarPanel> bar_panels_of(const RowRefs& rows, const std::string& key) {
  return bar_panels_of(rows, [&](const RowRefs& own) {
    std::vector<Bar> bars;
    for (const Row* row : own) bars.push_back({condition(*row, key).value_or("all"), row->accuracy});
    return bars;
  });
}

std::string against_chance(const io::Figure& figure, double chance) {
  if (!std::isfinite(chance)) return "";
  if (clearly_above(figure, chance)) return fmt::format(", against a chance of {}", chance_text(chance));
  return fmt::format(", which two standard errors do not tell from a chance of {}", chance_text(chance));
}

std::string heat_map(const HeatMap& map, std::string_view label) {
  const auto rows = static_cast<double>(map.row_labels.size()),
             columns = static_cast<double>(map.column_labels.size());
  const double title_width = map.row_title.empty() ? 0 : 22;
  const bool many = map.column_labels.size() > 6;
  const double label_space = label_width(map.row_labels, Svg::font_size, many ? 76 : 100);
  const double left = title_width + label_space;
  const double cell = std::min(64.0, (panel_width - left) / columns);
  const double cell_height = std::max(22.0, std::min(cell, 46.0));
  double widest = 0;
  for (const std::string& name : map.column_labels)
    widest = std::max(widest, text_width(name, Svg::font_size));
  const bool turned = widest > cell - 4;
  const double label_height = turned ? std::min(widest, 96.0) * 0.71 + 16 : 18;
  const double top = label_height + (map.column_title.empty() ? 0 : 18);
  Svg svg(panel_width, top + rows * cell_height + 2, label);
  if (!map.column_title.empty())
    svg.text({left + columns * cell / 2, 12}, map.column_title, "small", Anchor::middle);
  if (!map.row_title.empty())
    svg.text({12, top + rows * cell_height / 2}, map.row_title, "small", Anchor::middle, -90);
  for (std::size_t j = 0; j < map.column_labels.size(); ++j) {
    const double centre = left + (static_cast<double>(j) + 0.5) * cell;
    if (turned)
      svg.text({centre + 4, top - 6}, shorten(map.column_labels[j], Svg::font_size, 96), "", Anchor::end, 45);
    else
      svg.text({centre, top - 6}, map.column_labels[j], "", Anchor::middle);
  }
  for (std::size_t i = 0; i < map.row_labels.size(); ++i) {
    const double y = top + static_cast<double>(i) * cell_height;
    svg.text({left - 8, y + cell_height / 2 + 4}, shorten(map.row_labels[i], Svg::font_size, label_space - 8),
             "", Anchor::end);
    for (std::size_t j = 0; j < map.column_labels.size(); ++j) {
      const double shade = map.shade[i][j], x = left + static_cast<double>(j) * cell;
      const std::string detail = map.detail.empty() ? "" : map.detail[i][j];
      const std::string title = fmt::format("{} → {}: {}{}", map.row_labels[i], map.column_labels[j],
                                            map.main[i][j], detail.empty() ? "" : " (" + detail + ")");
      svg.rect({x + 1, y + 1}, cell - 2, cell_height - 2, "cell-back", "", 1, 2);
      if (std::isfinite(shade))
        svg.rect({x + 1, y + 1}, cell - 2, cell_height - 2, "cell", title,
                 std::clamp(shade, 0.0, 1.0) * 0.96 + 0.02, 2);
      const std::string tone = shade > 0.66 ? " on-cell" : "";
      const bool two_lines =
          !detail.empty() && cell_height >= 38 && text_width(detail, Svg::small) < cell - 4;
      const double middle = y + cell_height / 2;
      const bool fits = text_width(map.main[i][j], Svg::font_size) < cell - 2;
      svg.text({x + cell / 2, two_lines ? middle - 1 : middle + 4}, map.main[i][j],
               (fits ? "strong" : "tiny") + tone, Anchor::middle);
      if (two_lines) svg.text({x + cell / 2, middle + 13}, detail, "detail" + tone, Anchor::middle);
    }
  }
  return svg.str();
}

}  // namespace lrid::report
