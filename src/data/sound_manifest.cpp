#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/sound_manifest.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

struct Row {
  std::size_t line;
  std::vector<std::string> fields;
};

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Where a heading has each of `columns`; nothing if the row is no heading.
std::optional<std::vector<std::size_t>> places_in_heading(const std::vector<std::string>& row,
                                                          const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& field : row) names.push_back(lower_case(trim(field)));
  std::vector<std::size_t> places;
  for (const std::string& column : columns) {
    const auto found = std::ranges::find(names, column);
    if (found == names.end()) return std::nullopt;
    places.push_back(to_size(found - names.begin()));
  }
  return places;
}

/// All rows of a CSV file, blank ones included. `expected` is for the message.
std::vector<Row> parse_csv(const fs::path& file, const std::string& expected) {
  const std::string text = read_text(file);
  std::vector<Row> rows;
  Row row{1, {}};
  std::string field;
  std::size_t line = 1;
  bool quoted = false, was_quoted = false;
  const auto end_field = [&] {
    row.fields.push_back(was_quoted ? field : trim(field));
    field.clear();
    was_quoted = false;
  };
  const auto end_row = [&] {
    end_field();
    rows.push_back(std::move(row));
    row = {line, {}};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"')
        field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        field += text[++i];
      else
        quoted = false;
    } else if (c == '"' && trim(field).empty()) {
      field.clear();
      quoted = was_quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_row();
    } else {
      field += c;
    }
  }
  if (quoted)
    bad_input("{}:{}: a quotation mark is not closed, expected {}", file.string(), row.line, expected);
  if (!field.empty() || !row.fields.empty()) end_row();
  return rows;
}

/// Removes rows that list a file again, and says so. InputError where they say something else of it.
void drop_repeated(const fs::path& file, std::vector<Row>& rows) {
  std::map<fs::path, Row> first_of;
  std::string example;
  const auto repeated = std::erase_if(rows, [&](const Row& row) {
    const auto [first, is_new] = first_of.try_emplace(fs::path(row.fields[0]).lexically_normal(), row);
    if (is_new) return false;
    if (!std::equal(row.fields.begin() + 1, row.fields.end(), first->second.fields.begin() + 1))
      bad_input("{}:{}: \"{}\", but line {} says \"{}\": expected each sound once", file.string(), row.line,
                join(row.fields, ","), first->second.line, join(first->second.fields, ","));
    if (example.empty()) example = fmt::format("line {}, {}", row.line, row.fields[0]);
    return true;
  });
  if (repeated > 0)
    spdlog::warn("{}: left out {} that list a sound again (such as {}), expected each once", file.string(),
                 counted(repeated, "line"), example);
}

/// `columns` of a CSV file's rows, without the heading and blank lines; the first is the path.
std::vector<Row> read_csv(const fs::path& file, const std::vector<std::string>& columns) {
  const std::string expected = join(columns, ",");
  std::vector<Row> rows;
  std::optional<std::vector<std::size_t>> places;
  bool first = true;
  for (Row& row : parse_csv(file, expected)) {
    if (std::ranges::all_of(row.fields, [](const std::string& one) { return one.empty(); })) continue;
    if (std::exchange(first, false) && (places = places_in_heading(row.fields, columns))) continue;
    std::vector<std::string> fields;
    if (places) {
      for (const std::size_t place : *places)
        fields.push_back(place < row.fields.size() ? row.fields[place] : "");
    } else if (row.fields.size() == columns.size()) {
      fields = row.fields;
    }
    if (fields.empty() || std::ranges::any_of(fields, [](const std::string& one) { return one.empty(); }))
      bad_input("{}:{}: \"{}\", expected {}", file.string(), row.line, join(row.fields, ","), expected);
    rows.push_back({row.line, std::move(fields)});
  }
  if (rows.empty()) bad_input("{}: lists no files, expected lines {}", file.string(), expected);
  drop_repeated(file, rows);
  return rows;
}

/// Sorted, each once.
std::vector<std::string> distinct(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::int64_t number_of(const std::string& name, const std::vector<std::string>& names) {
  return std::ranges::lower_bound(names, name) - names.begin();
}

/// Keeps the items for which `bad` is false.
template <class Item>
void keep_good(const std::vector<bool>& bad, std::vector<Item>& items) {
  std::size_t i = 0;
  std::erase_if(items, [&](const Item&) { return bad[i++]; });
}

/// Removes names that no label has, renumbers the labels, returns the names removed.
std::vector<std::string> drop_unused(std::vector<std::string>& names,
                                     const std::vector<std::vector<std::int64_t>*>& labels) {
  std::vector<bool> unused(names.size(), true);
  for (const auto* some : labels)
    for (const std::int64_t label : *some) unused[to_size(label)] = false;
  std::vector<std::int64_t> number(names.size());
  std::int64_t next = 0;
  std::vector<std::string> dropped;
  for (std::size_t i = 0; i < names.size(); ++i) {
    number[i] = next;
    if (unused[i])
      dropped.push_back(names[i]);
    else
      ++next;
  }
  keep_good(unused, names);
  for (auto* some : labels)
    for (std::int64_t& label : *some) label = number[to_size(label)];
  return dropped;
}

}  // namespace

WordManifest read_word_manifest(const fs::path& file) {
  WordManifest manifest;
  const std::vector<Row> rows = read_csv(file, {"path", "word", "speaker"});
  for (const Row& row : rows) {
    manifest.files.push_back(file.parent_path() / row.fields[0]);
    manifest.word_names.push_back(row.fields[1]);
    manifest.speaker_names.push_back(row.fields[2]);
  }
  manifest.word_names = distinct(std::move(manifest.word_names));
  manifest.speaker_names = distinct(std::move(manifest.speaker_names));
  if (manifest.word_names.size() < 2)
    bad_input("{}: all sounds have the word \"{}\", expected at least 2", file.string(),
              manifest.word_names[0]);
  for (const Row& row : rows) {
    manifest.words.push_back(number_of(row.fields[1], manifest.word_names));
    manifest.speakers.push_back(number_of(row.fields[2], manifest.speaker_names));
  }
  return manifest;
}

NoiseManifest read_noise_manifest(const fs::path& file) {
  NoiseManifest manifest;
  std::vector<std::vector<std::string>> names;
  for (const Row& row : read_csv(file, {"path", "class"})) {
    manifest.files.push_back(file.parent_path() / row.fields[0]);
    std::vector<std::string> classes;
    for (const std::string& name : split(row.fields[1], ';'))
      if (!trim(name).empty()) classes.push_back(trim(name));
    if (classes.empty())
      bad_input("{}:{}: \"{}\" names no class, expected path,class;class", file.string(), row.line,
                row.fields[1]);
    manifest.class_names.insert(manifest.class_names.end(), classes.begin(), classes.end());
    names.push_back(std::move(classes));
  }
  manifest.class_names = distinct(std::move(manifest.class_names));
  for (const std::vector<std::string>& classes : names) {
    manifest.classes.emplace_back();
    for (const std::string& name : classes)
      manifest.classes.back().push_back(number_of(name, manifest.class_names));
  }
  return manifest;
}

std::vector<std::string> leave_out(const std::vector<bool>& bad, const fs::path& file,
                                   WordManifest& manifest) {
  keep_good(bad, manifest.files);
  keep_good(bad, manifest.words);
  keep_good(bad, manifest.speakers);
  std::vector<std::string> dropped = drop_unused(manifest.word_names, {&manifest.words});
  for (std::string& speaker : drop_unused(manifest.speaker_names, {&manifest.speakers}))
    dropped.push_back(std::move(speaker));
  if (manifest.word_names.size() < 2)
    bad_input("{}: sounds of {} can be read, expected at least 2", file.string(),
              counted(manifest.word_names.size(), "word"));
  return dropped;
}

std::vector<std::string> leave_out(const std::vector<bool>& bad, const fs::path& file,
                                   NoiseManifest& manifest) {
  keep_good(bad, manifest.files);
  keep_good(bad, manifest.classes);
  if (manifest.files.empty()) bad_input("{}: no sound can be read, expected some", file.string());
  std::vector<std::vector<std::int64_t>*> labels;
  for (std::vector<std::int64_t>& classes : manifest.classes) labels.push_back(&classes);
  return drop_unused(manifest.class_names, labels);
}

}  // namespace lrid::data
