#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/nwb.hpp>

#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

constexpr std::string_view index_suffix = "_index";

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Whether the numbers of `index` end at the length of `data`, as an index's do.
bool fits(const hdf5::Dataset& index, const hdf5::Dataset& data, std::int64_t rows) {
  if (index.kind() != hdf5::Kind::integer || index.shape() != hdf5::Shape{rows} || data.shape().empty())
    return false;
  const auto ends = index.read<double>();
  return std::ranges::is_sorted(ends) &&
         (ends.empty() ? data.shape()[0] == 0
                       : ends[0] >= 0 && ends.back() == static_cast<double>(data.shape()[0]));
}

}  // namespace

std::vector<std::string> texts_of(const hdf5::Dataset& column, const hdf5::Group& table) {
  if (column.holds_references()) {
    std::vector<std::string> names;
    for (const hdf5::Group& group : column.read_groups()) names.push_back(group.name());
    return names;
  }
  if (!column.has_attribute("elements")) return column.read_texts();
  // EnumData: places in another column, which has the names.
  const std::vector<std::string> names = table.dataset(column.attribute_target("elements")).read_texts();
  std::vector<std::string> texts;
  for (const std::int64_t place : column.read<std::int64_t>()) {
    if (place < 0 || place >= std::ssize(names))
      column.fail(fmt::format("{} in row {}, but there are {} elements to choose from", place, texts.size(),
                              names.size()));
    texts.push_back(names[static_cast<std::size_t>(place)]);
  }
  return texts;
}

bool is_missing(const std::string& text) {
  std::string word = trim(text);
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 4> missing{"", "nan", "null", "n/a"};
  return std::ranges::find(missing, word) != missing.end();
}

std::vector<std::int64_t> read_whole(const hdf5::Dataset& data, std::int64_t rows) {
  if (data.kind() != hdf5::Kind::floating) return data.read<std::int64_t>({rows});
  std::vector<std::int64_t> whole;
  for (const double value : data.read<double>({rows})) {
    // A double has a gap of more than 1 between neighbours from 2⁵³ on.
    if (std::trunc(value) != value || std::abs(value) > 0x1p53)
      data.fail(fmt::format("{} in row {}, expected an integer", value, whole.size()));
    whole.push_back(static_cast<std::int64_t>(value));
  }
  return whole;
}

Table::Table(hdf5::Group group) : group_(std::move(group)) {
  const hdf5::Dataset id = group_.dataset("id");
  if (id.shape().size() != 1)
    id.fail("has shape " + hdf5::to_string(id.shape()) + ", expected one identifier a row");
  rows_ = id.shape()[0];
  for (const std::string& name : group_.names()) {
    if (name == "id" || !group_.has_dataset(name)) continue;
    const hdf5::Dataset index = group_.dataset(name);
    const bool has_target = index.has_attribute("target");
    const bool has_type = index.has_attribute("neurodata_type");
    const bool is_typed_index =
        has_target || (has_type && index.attribute_text("neurodata_type") == "VectorIndex");
    if (has_type && !is_typed_index) continue;
    const std::string stem =
        name.ends_with(index_suffix) ? name.substr(0, name.size() - index_suffix.size()) : std::string();
    if (has_target)
      index_of_.emplace(base_name(index.attribute_target("target")), name);
    else if (!stem.empty() && group_.has_dataset(stem) &&
             (is_typed_index || fits(index, group_.dataset(stem), rows_)))
      index_of_.emplace(stem, name);
  }
}

std::vector<Id> Table::ids() const {
  const hdf5::Dataset data = group_.dataset("id");
  std::vector<Id> ids;
  const auto take = [&](const auto& values) { ids.assign(values.begin(), values.end()); };
  if (data.type_name() == "uint64")
    take(data.read<std::uint64_t>({rows_}));
  else
    take(read_whole(data, rows_));
  return ids;
}

std::vector<std::string> Table::columns() const {
  std::vector<std::string> names;
  for (const std::string& name : group_.names()) {
    const bool is_index =
        std::ranges::any_of(index_of_, [&](const auto& pair) { return pair.second == name; });
    if (name != "id" && !is_index && group_.has_dataset(name)) names.push_back(name);
  }
  return names;
}

hdf5::Dataset Table::column(const std::string& name) const {
  if (!has_column(name))
    group_.fail("has no column \"" + name + "\", expected " + expected_one_of(columns(), name));
  const auto has_one = [](const Range& range) { return range.second == range.first + 1; };
  if (is_ragged(name) && !std::ranges::all_of(ranges(name), has_one))
    group_.fail("column \"" + name + "\" has several values a row, expected a column of single ones");
  hdf5::Dataset data = group_.dataset(name);
  if (data.shape() != hdf5::Shape{rows()})
    data.fail(fmt::format("has shape {}, but the table has {} rows", hdf5::to_string(data.shape()), rows()));
  return data;
}

std::vector<double> Table::numbers(const std::string& name) const {
  return column(name).read<double>();
}

std::vector<std::string> Table::texts(const std::string& name) const {
  return texts_of(column(name), group_);
}

std::vector<std::string> Table::first_texts(const std::string& name, const std::string& who) const {
  if (name == "id") {
    std::vector<std::string> texts;
    for (const Id& id : ids())
      texts.push_back(std::visit([](auto value) { return std::to_string(value); }, id));
    return texts;
  }
  if (!has_column(name)) {
    std::vector<std::string> known = columns();
    std::erase_if(known, [&](const std::string& column) { return is_ragged(column); });
    known.insert(known.begin(), "id");
    group_.fail(who + ": no column \"" + name + "\", expected " + expected_one_of(known, name));
  }
  const hdf5::Dataset data = group_.dataset(name);
  if (is_ragged(name) || data.shape() != hdf5::Shape{rows(), 2}) {
    const auto has_one = [](const Range& range) { return range.second == range.first + 1; };
    if (data.shape().size() != 1 || (is_ragged(name) && !std::ranges::all_of(ranges(name), has_one)))
      group_.fail(who + ": column \"" + name +
                  "\" has several values a row, expected a column of single ones");
    return texts(name);
  }
  const std::vector<std::string> all = texts_of(data, group_);
  std::vector<std::string> first;
  for (std::size_t i = 0; i < all.size(); i += 2) first.push_back(all[i]);
  return first;
}

std::vector<Range> Table::ranges(const std::string& name) const {
  if (!has_column(name)) group_.fail("has no column \"" + name + "\"");
  const auto known = index_of_.find(name);
  const std::string index_name = known == index_of_.end() ? name + std::string(index_suffix) : known->second;
  const hdf5::Dataset index = group_.dataset(index_name), data = group_.dataset(name);
  std::vector<Range> ranges;
  std::int64_t begin = 0;
  const std::int64_t size = data.shape().empty() ? 0 : data.shape()[0];
  for (const std::int64_t end : read_whole(index, rows())) {
    if (end < begin || end > size)
      index.fail(
          fmt::format("{} after {}, expected ascending numbers up to the {} of {}", end, begin, size, name));
    ranges.emplace_back(begin, end);
    begin = end;
  }
  return ranges;
}

}  // namespace lrid::io::nwb
