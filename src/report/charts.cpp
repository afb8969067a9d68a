#include "charts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "markup.hpp"
#include "names.hpp"

namespace lrid::report {
namespace {

// Rows, px.
constexpr double row_height = 44, code_height = 13, rows_top = 20, label_baseline = 13, track_height = 10,
                 track_below_label = 13, axis_height = 36;
// Plots, px.
constexpr double line_height = 13;
constexpr double plot_left = 48, plot_right = 12, plot_top = 10, plot_bottom = 40;

double label_width(const std::vector<std::string>& labels, double font_size, double most) {
  double width = 20;
  for (const std::string& label : labels) width = std::max(width, text_width(label, font_size) + 10);
  return std::min(width, most);
}

/// Lines of text, their middle at a place.
void centred_lines(Svg& svg, Coordinates middle, const std::vector<std::string>& lines, Anchor anchor) {
  double y = middle.y + 4 - line_height * static_cast<double>(lines.size() - 1) / 2;
  for (const std::string& line : lines) {
    svg.text({middle.x, y}, line, "", anchor);
    y += line_height;
  }
}

/// The tone of letters that are legible on a shade in light and in dark colours; see figure.css.
std::string_view letters_on(double shade) {
  return shade > 0.73 ? " on-strong" : shade > 0.58 ? " on-middling" : "";
}

double opacity_of(double shade) {
  return std::clamp(shade, 0.0, 1.0) * 0.96 + 0.02;
}

}  // namespace

// --- Legends

LegendEntry dot_entry(std::string_view css_class, std::string text) {
  Svg key(12, 12, "");
  key.circle({6, 6}, 4.5, css_class);
  return {std::move(key), std::move(text)};
}

LegendEntry square_entry(std::string_view css_class, std::string text) {
  Svg key(12, 12, "");
  key.rect({1, 1}, 10, 10, css_class, "", 1, 2);
  return {std::move(key), std::move(text)};
}

std::string series_colour(std::size_t index) {
  return fmt::format("series-{}", index % 8);
}

std::string series_class(std::size_t index) {
  // Dashes tell neighbours apart without colour, and series of the same colour from each other.
  return fmt::format("{} dash-{}", series_colour(index), (index % 4 + index / 8) % 4);
}

LegendEntry series_entry(std::size_t index, std::string text) {
  Svg key(30, 12, "");
  key.line({1, 6}, {29, 6}, "curve " + series_class(index));
  return {std::move(key), std::move(text)};
}

LegendEntry colour_bar(std::string title, const std::string& low, const std::string& high) {
  constexpr int steps = 20;
  constexpr double step = 6;
  const double begin = text_width(low, Svg::small) + 4, end = begin + steps * step;
  Svg key(end + 4 + text_width(high, Svg::small), 12, "");
  key.text({0, 10}, low, "small");
  for (int i = 0; i < steps; ++i) {
    key.rect({begin + i * step, 1}, step, 10, "shade-back");
    key.rect({begin + i * step, 1}, step, 10, "shade", "", opacity_of((i + 0.5) / steps));
  }
  key.text({end + 4, 10}, high, "small");
  return {std::move(key), std::move(title)};
}

// --- Rows

Rows::Rows(std::size_t count, const Axis& axis, double chance, std::string_view label, bool with_codes)
    : axis_(axis),
      chance_(chance),
      row_height_(row_height + (with_codes ? code_height : 0)),
      with_codes_(with_codes),
      svg_(panel_width, rows_top + static_cast<double>(count) * row_height_ + axis_height, label) {
  const double bottom = rows_top + static_cast<double>(count) * row_height_;
  const std::vector<double> levels = ticks(axis.low, axis.high, 6);
  const int decimals = axis.low == 0 && axis.high == 1 ? 1 : tick_decimals(levels);
  for (const double level : levels) {
    svg_.line({x(level), rows_top - 2}, {x(level), bottom}, "grid");
    const Anchor anchor = x(level) < 8                 ? Anchor::start
                          : x(level) > panel_width - 8 ? Anchor::end
                                                       : Anchor::middle;
    svg_.text({x(level), bottom + 13}, level == 0 ? "0" : number(level, decimals), "small", anchor);
  }
  svg_.text({panel_width / 2, bottom + 28}, axis.title, "small", Anchor::middle);
  if (std::isfinite(chance))
    svg_.text({std::clamp(x(chance), 34.0, panel_width - 34), 11}, "chance " + chance_text(chance),
              "small chance-text", Anchor::middle);
}

double Rows::x(double value) const {
  return (std::clamp(value, axis_.low, axis_.high) - axis_.low) / (axis_.high - axis_.low) * panel_width;
}

void Rows::begin(std::string_view label, std::string_view value, std::string_view code) {
  const double top = rows_top + static_cast<double>(begun_++) * row_height_;
  const double value_width = with_codes_ ? 0 : text_width(value, Svg::font_size) + 10;
  const double value_baseline = top + label_baseline + (with_codes_ ? code_height : 0);
  svg_.text({0, top + label_baseline}, shorten(label, Svg::font_size, panel_width - value_width));
  svg_.text({panel_width, value_baseline}, value, "strong", Anchor::end);
  if (with_codes_) svg_.text({0, value_baseline}, code, "small code");
  svg_.rect({0, track() - track_height / 2}, panel_width, track_height, "track", "", 1, 2);
}

double Rows::track() const {
  return rows_top + static_cast<double>(begun_ - 1) * row_height_ + label_baseline + track_below_label +
         (with_codes_ ? code_height : 0);
}

void Rows::whiskers(const Figure& figure) {
  const std::optional<Range> range = range_of(figure);
  if (!range || range->high - range->low <= 0) return;
  const double low = x(range->low), high = x(range->high), y = track();
  svg_.line({low, y}, {high, y}, "whisker");
  svg_.line({low, y - 3.5}, {low, y + 3.5}, "whisker");
  svg_.line({high, y - 3.5}, {high, y + 3.5}, "whisker");
}

void Rows::bar(const Figure& figure, std::string_view css_class, std::string_view title) {
  if (!std::isfinite(figure.mean)) return;
  const double y = track(), from = x(std::max(0.0, axis_.low)), to = x(figure.mean);
  svg_.rect({std::min(from, to), y - track_height / 2}, std::abs(to - from), track_height, css_class, title,
            1, 2);
  if (figure.splits.size() > 1)
    for (const double split : figure.splits)
      if (std::isfinite(split)) svg_.line({x(split), y + 6.5}, {x(split), y + 10.5}, "split");
  whiskers(figure);
}

void Rows::dot(const Figure& figure, std::string_view css_class, std::string_view title) {
  if (!std::isfinite(figure.mean)) return;
  whiskers(figure);
  svg_.circle({x(figure.mean), track()}, 5.5, css_class, title);
}

void Rows::link(double from, double to) {
  svg_.line({x(from), track()}, {x(to), track()}, "link");
}

Svg Rows::finish() {
  if (std::isfinite(chance_))
    for (std::size_t row = 0; row < begun_; ++row) {
      const double y = track() - static_cast<double>(begun_ - 1 - row) * row_height_;
      svg_.line({x(chance_), y - 8}, {x(chance_), y + 8}, "chance");
    }
  return std::move(svg_);
}

std::string mark_title(const std::string& label, const Figure& figure) {
  std::string title = label + ": " + with_range(figure);
  if (figure.interval)
    title += " (95\u202f% interval over networks)";
  else if (range_of(figure))
    title += " (spread over splits)";
  if (const std::string p = p_text(figure); !p.empty()) title += ", " + p;
  return title;
}

std::string about_whiskers(const RowRefs& rows) {
  const bool intervals =
      std::ranges::any_of(rows, [](const Row* row) { return row->accuracy.interval.has_value(); });
  return intervals ? "Whiskers are 95\u202f% intervals over networks."
                   : "Whiskers are the spread over splits (one standard deviation).";
}

std::string about_bars(const RowRefs& rows) {
  return about_whiskers(rows) + " Ticks below a bar are single splits.";
}

void add_bars(Exhibit& exhibit, const std::vector<BarPanel>& panels, const std::string& what) {
  const auto codes = [](const BarPanel& panel) {
    return std::ranges::any_of(panel.bars, [](const Bar& bar) { return !bar.code.empty(); });
  };
  Table& table = exhibit.table;
  if (table.header.empty()) {
    table.header = {words("panel"), words("label"), number_title(what), words("splits")};
    if (std::ranges::any_of(panels, codes)) table.header.insert(table.header.begin() + 2, words("code"));
  }
  const bool code_column = table.header[2].text == "code";
  for (const BarPanel& panel : panels) {
    Rows rows(panel.bars.size(), panel.axis, panel.chance, exhibit.title + ", " + panel.heading,
              codes(panel));
    for (const Bar& bar : panel.bars) {
      rows.begin(bar.label, with_range(bar.figure, panel.axis.decimals + (bar.figure.interval ? 0 : 1)),
                 bar.code);
      rows.bar(bar.figure, bar.css_class, mark_title(bar.label, bar.figure));
      std::string splits;
      for (const double split : bar.figure.splits)
        splits += fmt::format("{}{}", splits.empty() ? "" : " ", split);
      std::vector<TableEntry>& line = table.rows.emplace_back();
      line = {words(panel.heading), words(bar.label), figure_entry(bar.figure), words(splits)};
      if (code_column) line.insert(line.begin() + 2, words(bar.code));
    }
    exhibit.panels.push_back({panel.heading, rows.finish()});
  }
}

std::vector<BarPanel> bar_panels(const RowRefs& rows,
                                 const std::function<std::vector<Bar>(const RowRefs&)>& bars) {
  std::vector<BarPanel> result;
  for (const Group& group : by_classifier_and_measure(rows))
    result.push_back({group.heading, bars(group.rows), common_chance(group.rows)});
  return result;
}

std::vector<BarPanel> bar_panels(const RowRefs& rows, const std::function<std::string(const Row&)>& label) {
  return bar_panels(rows, [&](const RowRefs& own) {
    std::vector<Bar> bars;
    for (const Row* row : own) bars.push_back({label(*row), row->accuracy});
    return bars;
  });
}

void add_pairs(Exhibit& exhibit, const std::vector<PairedPanel>& panels, const std::string& before,
               const std::string& after, const Axis& axis) {
  exhibit.legend = {dot_entry("dot", after)};
  if (std::ranges::any_of(panels, [](const PairedPanel& panel) {
        return std::ranges::any_of(panel.rows, [](const PairedRow& row) { return row.before.has_value(); });
      }))
    exhibit.legend.insert(exhibit.legend.begin(), dot_entry("dot-hollow", before));
  exhibit.table.header = {words("panel"), words("label"), number_title(axis.title + ", " + before),
                          number_title(axis.title + ", " + after)};
  for (const PairedPanel& panel : panels) {
    Rows rows(panel.rows.size(), axis, panel.chance, exhibit.title + ", " + panel.heading);
    for (const PairedRow& row : panel.rows) {
      const bool paired = row.before && std::isfinite(row.before->mean);
      rows.begin(row.label, paired ? number(row.before->mean, 3) + " → " + number(row.after.mean, 3)
                                   : with_range(row.after));
      if (paired) {
        if (std::isfinite(row.after.mean)) rows.link(row.before->mean, row.after.mean);
        rows.dot(*row.before, "dot-hollow", mark_title(row.label + ", " + before, *row.before));
      }
      rows.dot(row.after, "dot", mark_title(row.label + ", " + after, row.after));
      exhibit.table.rows.push_back(
          {words(panel.heading), words(row.label), figure_entry(row.before), figure_entry(row.after)});
    }
    exhibit.panels.push_back({panel.heading, rows.finish()});
  }
}

std::string against_chance(const Figure& figure, double chance) {
  if (!std::isfinite(chance)) return "";
  if (compare(figure, chance) == Comparison::above)
    return fmt::format(", against a chance of {}", chance_text(chance));
  return fmt::format(", not clearly above a chance of {}", chance_text(chance));
}

// --- Plots

Plot::Plot(const Axis& across, const Axis& up, std::string_view label)
    : svg_(panel_width, height, label),
      x_{across.low, across.high, plot_left, panel_width - plot_right},
      y_{up.low, up.high, height - plot_bottom, plot_top} {
  svg_.set_margins(plot_left, plot_right);
  const std::vector<double> levels = ticks(up.low, up.high, 6);
  for (const double level : levels) {
    svg_.line(at(across.low, level), at(across.high, level), "grid");
    svg_.text({plot_left - 6, y_(level) + 4}, number(level, tick_decimals(levels)), "small", Anchor::end);
  }
  const double middle_x = (plot_left + panel_width - plot_right) / 2,
               middle_y = (plot_top + height - plot_bottom) / 2;
  svg_.text({middle_x, height - 5}, across.title, "small", Anchor::middle);
  svg_.text({12, middle_y}, up.title, "small", Anchor::middle, -90);
}

void Plot::ticks_across(const std::vector<std::pair<double, std::string>>& ticks) {
  double end = -std::numeric_limits<double>::infinity();
  for (const auto& [value, text] : ticks) {
    const double width = text_width(text, Svg::small), middle = x_(value);
    if (middle - width / 2 < end + 4) continue;
    end = middle + width / 2;
    const bool last = end > panel_width;
    svg_.text({last ? panel_width : middle, height - plot_bottom + 15}, text, "small",
              last ? Anchor::end : Anchor::middle);
  }
}

void Plot::dot(double x, double y, double radius, std::string_view css_class, std::string_view title) {
  svg_.circle(at(x, y), radius, css_class, title);
}

void Plot::whisker(double x, const Range& range) {
  svg_.line(at(x, std::max(range.low, y_.data_low)), at(x, std::min(range.high, y_.data_high)), "whisker");
}

void Plot::curve(const std::vector<std::pair<double, double>>& points, std::string_view css_class) {
  std::vector<Coordinates> places;
  for (const auto& [x, y] : points) places.push_back(at(x, y));
  svg_.polyline(places, fmt::format("curve {}", css_class));
}

void Plot::band(const std::vector<std::pair<double, Range>>& points, std::string_view css_class) {
  std::vector<Coordinates> outline;
  for (const auto& [x, range] : points) outline.push_back(at(x, range.high));
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    outline.push_back(at(point->first, point->second.low));
  svg_.polygon(outline, fmt::format("band {}", css_class));
}

void Plot::level(double y) {
  svg_.line(at(x_.data_low, y), at(x_.data_high, y), "chance");
}

void Plot::diagonal() {
  svg_.line(at(x_.data_low, y_.data_low), at(x_.data_high, y_.data_high), "chance");
}

// --- Heat maps

namespace {

/// Where the parts of a heat map are, px.
struct HeatMapLayout {
  double left, top, column_width, row_height, label_width;
  bool turned;  ///< column labels stand aslant
};

HeatMapLayout layout_of(const HeatMap& map) {
  const auto columns = static_cast<double>(map.column_labels.size());
  HeatMapLayout layout{};
  layout.label_width = label_width(map.row_labels, Svg::font_size, map.column_labels.size() > 6 ? 92 : 112);
  layout.left = (map.row_title.empty() ? 0 : 22) + layout.label_width;
  layout.column_width = (panel_width - layout.left) / columns;
  layout.row_height = std::clamp(layout.column_width, 30.0, 48.0);
  double widest = 0;
  for (const std::string& name : map.column_labels)
    widest = std::max(widest, text_width(name, Svg::font_size));
  layout.turned = widest > layout.column_width - 4;
  layout.top =
      (layout.turned ? std::min(widest, 96.0) * 0.71 + 16 : 18) + (map.column_title.empty() ? 0 : 18);
  return layout;
}

void draw_column_labels(Svg& svg, const HeatMap& map, const HeatMapLayout& layout) {
  for (std::size_t j = 0; j < map.column_labels.size(); ++j) {
    const double centre = layout.left + (static_cast<double>(j) + 0.5) * layout.column_width;
    if (layout.turned)
      svg.text({centre + 4, layout.top - 6}, shorten(map.column_labels[j], Svg::font_size, 96), "",
               Anchor::end, 45);
    else
      svg.text({centre, layout.top - 6}, map.column_labels[j], "", Anchor::middle);
  }
}

void draw_field(Svg& svg, const HeatMap& map, const HeatMapLayout& layout, std::size_t i, std::size_t j) {
  const double shade = (map.shade.empty() ? map.value : map.shade)[i][j];
  const double x = layout.left + static_cast<double>(j) * layout.column_width;
  const double y = layout.top + static_cast<double>(i) * layout.row_height,
               middle = y + layout.row_height / 2;
  const double width = layout.column_width - 2, height = layout.row_height - 2;
  const std::string &text = map.text[i][j], detail = map.detail.empty() ? "" : map.detail[i][j];
  svg.rect({x + 1, y + 1}, width, height, "shade-back", "", 1, 2);
  if (std::isfinite(shade))
    svg.rect({x + 1, y + 1}, width, height, "shade",
             fmt::format("{} → {}: {}{}", map.row_labels[i], map.column_labels[j], text,
                         detail.empty() ? "" : " (" + detail + ")"),
             opacity_of(shade), 2);
  const std::string tone(std::isfinite(shade) ? letters_on(shade) : "");
  const bool two_lines =
      !detail.empty() && layout.row_height >= 38 && text_width(detail, Svg::small) < layout.column_width - 4;
  const bool fits = text_width(text, Svg::font_size) < layout.column_width - 2;
  const Coordinates centre{x + layout.column_width / 2, two_lines ? middle - 1 : middle + 4};
  svg.text(centre, text, (fits ? "on-shade strong" : "on-shade tiny") + tone, Anchor::middle);
  if (two_lines) svg.text({centre.x, middle + 13}, detail, "on-shade detail" + tone, Anchor::middle);
}

}  // namespace

void add_heat_map(Exhibit& exhibit, const HeatMap& map, const std::string& what) {
  const HeatMapLayout layout = layout_of(map);
  const auto rows = static_cast<double>(map.row_labels.size());
  Svg svg(panel_width, layout.top + rows * layout.row_height + 2, exhibit.title + ", " + map.heading);
  svg.set_margins(layout.left, 0);
  if (!map.column_title.empty())
    svg.text({(layout.left + panel_width) / 2, 12}, map.column_title, "small", Anchor::middle);
  if (!map.row_title.empty())
    svg.text({12, layout.top + rows * layout.row_height / 2}, map.row_title, "small", Anchor::middle, -90);
  draw_column_labels(svg, map, layout);

  Table& table = exhibit.table;
  if (table.header.empty())
    table.header = {words("panel"), words(map.row_title.empty() ? "row" : map.row_title),
                    words(map.column_title.empty() ? "column" : map.column_title), number_title(what)};
  for (std::size_t i = 0; i < map.row_labels.size(); ++i) {
    const double middle = layout.top + (static_cast<double>(i) + 0.5) * layout.row_height;
    std::vector<std::string> lines = wrap(map.row_labels[i], Svg::font_size, layout.label_width - 8);
    if (line_height * static_cast<double>(lines.size()) > layout.row_height)
      // Where classes are many, their codes; these name the columns.
      lines = {shorten(
          map.column_labels.size() == map.row_labels.size() ? map.column_labels[i] : map.row_labels[i],
          Svg::font_size, layout.label_width - 8)};
    centred_lines(svg, {layout.left - 8, middle}, lines, Anchor::end);
    for (std::size_t j = 0; j < map.column_labels.size(); ++j) {
      draw_field(svg, map, layout, i, j);
      table.rows.push_back({words(map.heading),
                            words(map.row_labels[i]),
                            words(map.column_labels[j]),
                            {.text = map.text[i][j], .numeric = true, .value = map.value[i][j]}});
    }
  }
  exhibit.panels.push_back({map.heading, std::move(svg)});
}

void add_accuracy_maps(Exhibit& exhibit, const RowRefs& rows, const std::string& down,
                       const std::string& across, const std::string& down_title,
                       const std::string& across_title) {
  exhibit.legend = {colour_bar("accuracy")};
  for (const Group& group : by_classifier_and_measure(rows)) {
    HeatMap map{.heading = group.heading,
                .row_labels = values_of(group.rows, down),
                .column_labels = values_of(group.rows, across),
                .row_title = down_title,
                .column_title = across_title};
    for (const std::string& i : map.row_labels) {
      map.value.emplace_back();
      map.text.emplace_back();
      for (const std::string& j : map.column_labels) {
        const RowRefs found = rows_where(rows_where(group.rows, down, i), across, j);
        map.value.back().push_back(found.empty() ? std::nan("") : found.front()->accuracy.mean);
        map.text.back().push_back(number(map.value.back().back()));
      }
    }
    add_heat_map(exhibit, map, "accuracy");
  }
}

}  // namespace lrid::report
