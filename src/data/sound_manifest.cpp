#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/sound_manifest.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

struct Row {
  std::size_t line;
  std::vector<std::string> fields;
};

/// Rows of a CSV file with `columns` columns, without the heading and empty lines.
std::vector<Row> read_csv(const fs::path& file, const std::vector<std::string>& columns) {
  const std::string text = read_file(file);
  const std::string expected = join(columns, ",");
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
    const bool empty = row.fields.size() == 1 && row.fields[0].empty();
    const bool heading = rows.empty() && row.fields == columns;
    if (!empty && !heading) {
      if (row.fields.size() != columns.size() ||
          std::ranges::any_of(row.fields, [](const std::string& one) { return one.empty(); }))
        bad_input("{}:{}: \"{}\", expected {}", file.string(), row.line, join(row.fields, ","), expected);
      rows.push_back(std::move(row));
    }
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
  if (rows.empty()) bad_input("{}: lists no files, expected lines {}", file.string(), expected);
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

}  // namespace lrid::data
