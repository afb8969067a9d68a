#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <lrid/core/registry.hpp>

namespace lrid::apps {

/// Columns to fill: the terminal's, or those that COLUMNS names, within 60 to 110; 80 where neither says.
std::size_t columns();

/// A name and what is said of it.
struct Row {
  std::string name, text;
};

/// Names in one column, indented by so much, and their texts wrapped in another, `gap` blanks to the right.
std::string two_columns(const std::vector<Row>& rows, std::size_t indent, std::size_t gap = 2);

/// A registry's entries by name and summary; a line that does not begin with a blank begins with a name.
template <class Entry>
std::string listing(const Registry<Entry>& registry) {
  std::vector<Row> rows;
  for (const Entry& entry : registry.entries()) rows.push_back({entry.name, entry.summary});
  return two_columns(rows, 0);
}

}  // namespace lrid::apps
