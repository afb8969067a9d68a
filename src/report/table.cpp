#include "table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "markup.hpp"

namespace lrid::report {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

/// What a column with figures carries besides their values.
struct Ranges {
  bool spreads = false, intervals = false, p_values = false;
};

Ranges ranges_of(const Table& table, std::size_t column) {
  Ranges found;
  for (const std::vector<TableEntry>& row : table.rows) {
    if (column >= row.size() || !row[column].figure) continue;
    const Figure& figure = *row[column].figure;
    found.spreads |= figure.splits.size() > 1;
    found.intervals |= figure.interval.has_value();
    found.p_values |= figure.p.has_value();
  }
  return found;
}

double shown_value(const TableEntry& entry) {
  return entry.figure ? entry.figure->mean : entry.value.value_or(std::nan(""));
}

}  // namespace

TableEntry words(std::string text) {
  return {.text = std::move(text)};
}

TableEntry row_title(std::string text) {
  return {.text = std::move(text), .heads_row = true};
}

TableEntry number_title(std::string text) {
  return {.text = std::move(text), .numeric = true};
}

TableEntry whole_number(std::int64_t value) {
  return {.text = count(value), .numeric = true, .value = static_cast<double>(value)};
}

TableEntry figure_entry(const std::optional<Figure>& figure, int decimals) {
  if (!figure) return {.text = "", .numeric = true};
  return {
      .text = with_range(*figure, decimals), .numeric = true, .detail = p_text(*figure), .figure = figure};
}

std::string table_html(const Table& table, std::string_view id, std::string_view caption_html,
                       std::string_view css_class) {
  // What scrolls must be reachable by keyboard.
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{0}-caption\">\n<table "
      "id=\"{0}\""
      "{1}>\n<caption id=\"{0}-caption\">{2}</caption>\n<thead><tr>",
      id, css_class.empty() ? "" : fmt::format(" class=\"{}\"", css_class), caption_html);
  for (const TableEntry& title : table.header)
    html +=
        fmt::format("<th scope=\"col\"{}>{}</th>", title.numeric ? " class=\"n\"" : "", escape(title.text));
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<TableEntry>& row : table.rows) {
    html += "<tr>";
    for (const TableEntry& entry : row) {
      const double value = shown_value(entry);
      html += fmt::format("<{0}{1}{2}{3}>{4}{5}</{0}>", entry.heads_row ? "th" : "td",
                          entry.heads_row ? " scope=\"row\"" : "", entry.numeric ? " class=\"n\"" : "",
                          std::isfinite(value) ? fmt::format(" data-value=\"{}\"", value) : "",
                          escape(entry.text),
                          entry.detail.empty() ? "" : fmt::format("<small>{}</small>", escape(entry.detail)));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string csv(const Table& table) {
  std::vector<Ranges> ranges;
  std::string text;
  const auto end_line = [&text] { text.back() = '\n'; };
  for (std::size_t column = 0; column < table.header.size(); ++column) {
    const std::string& title = table.header[column].text;
    ranges.push_back(ranges_of(table, column));
    text += csv_field(title) + ",";
    if (ranges.back().spreads) text += csv_field(title + " (spread over splits)") + ",";
    if (ranges.back().intervals)
      text +=
          csv_field(title + " (95% interval, low)") + "," + csv_field(title + " (95% interval, high)") + ",";
    if (ranges.back().p_values) text += csv_field(title + " (p)") + ",";
  }
  if (text.empty()) return text;
  end_line();
  for (const std::vector<TableEntry>& row : table.rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      const TableEntry& entry = row[column];
      text += (entry.figure || entry.value ? csv_number(shown_value(entry)) : csv_field(entry.text)) + ",";
      const Figure figure = entry.figure.value_or(Figure{.mean = 0, .sem = 0, .splits = {}});
      if (ranges[column].spreads) text += csv_number(spread_over_splits(figure)) + ",";
      if (ranges[column].intervals)
        text += figure.interval
                    ? csv_number(figure.interval->front()) + "," + csv_number(figure.interval->back()) + ","
                    : ",,";
      if (ranges[column].p_values) text += csv_number(figure.p.value_or(std::nan(""))) + ",";
    }
    end_line();
  }
  return text;
}

}  // namespace lrid::report
