#pragma once

#include <optional>
#include <string>
#include <vector>

#include "view.hpp"

namespace lrid::report {

/// What stands at one place of a table.
struct TableEntry {
  std::string text;                ///< as shown, unescaped
  bool numeric = false;            ///< aligned right
  std::string detail{};            ///< small, below the text
  std::optional<double> value{};   ///< what the text stands for: sorted by, written to CSV
  std::optional<Figure> figure{};  ///< the same with its uncertainty
  bool heads_row = false;          ///< names the row
};
TableEntry words(std::string text);
TableEntry row_title(std::string text);
/// A title over a column of numbers.
TableEntry number_title(std::string text);
/// A whole number; a figure with its range, empty where there is none.
TableEntry whole_number(std::int64_t value);
TableEntry figure_entry(const std::optional<Figure>& figure, int decimals = 3);

struct Table {
  std::vector<TableEntry> header;
  std::vector<std::vector<TableEntry>> rows{};
};

/// A table that scrolls sideways in its own box where the page is too narrow. `caption_html` is what its
/// caption holds, `id` its id, `css_class` may be empty.
std::string table_html(const Table& table, std::string_view id, std::string_view caption_html,
                       std::string_view css_class = "");

/// Comma-separated values (RFC 4180): numbers in full precision; a column with figures is followed by their
/// spread over the splits, or by the ends of their intervals.
std::string csv(const Table& table);

}  // namespace lrid::report
