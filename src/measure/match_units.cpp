#include "match_units.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_nwb.hpp>

namespace lrid::measure {

namespace {

/// The same unit in each file.
using Unit = std::vector<UnitPlace>;

std::string name_of(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

const std::string& region_of(const FileUnits& file, const UnitPlace& place) {
  return file.sources[place.source].units[place.unit].region;
}

/// The place of each unit by series and key; counts those without a key.
using Places = std::map<std::pair<std::size_t, std::string>, std::size_t>;
Places places_of(const FileUnits& file, const std::string& match, std::size_t& without_key) {
  Places places;
  for (std::size_t s = 0; s < file.sources.size(); ++s)
    for (std::size_t u = 0; u < file.sources[s].units.size(); ++u) {
      const std::string& key = file.sources[s].keys[u];
      if (io::nwb::is_missing(key))
        ++without_key;
      else if (!places.try_emplace({s, key}, u).second)
        bad_input("{}: {}: --match {}: \"{}\" is of several units, expected another value for each",
                  file.file, file.sources[s].path, match, key);
    }
  return places;
}

std::vector<Unit> match_by_column(const std::vector<FileUnits>& files, const std::string& match,
                                  std::vector<std::string>& left_out) {
  std::vector<Places> places;
  std::set<std::pair<std::size_t, std::string>> all;
  for (const FileUnits& file : files) {
    std::size_t without_key = 0;
    for (const auto& [key, unit] : places.emplace_back(places_of(file, match, without_key))) all.insert(key);
    if (without_key > 0)
      left_out.push_back(fmt::format("{}: {} without a value in {}", name_of(file.file),
                                     counted(without_key, "unit"), match));
  }
  std::vector<Unit> units;
  for (std::size_t s = 0; s < files[0].sources.size(); ++s)
    for (const std::string& key : files[0].sources[s].keys) {
      Unit unit;
      for (const Places& of_file : places)
        if (const auto found = of_file.find({s, key}); found != of_file.end())
          unit.push_back({s, found->second});
      if (unit.size() == files.size()) units.push_back(std::move(unit));
    }
  if (const std::size_t missing = all.size() - units.size(); missing > 0)
    left_out.push_back(
        fmt::format("{} that not every file has in use ({})", counted(missing, "unit"), match));
  return units;
}

/// Fields of a line; those in quotation marks may hold commas, and marks that are doubled.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  for (std::string& field : fields) field = trim(field);
  return fields;
}

/// The column of each file, by its path, its name, or its name without .nwb.
std::vector<std::size_t> columns_of(const std::vector<FileUnits>& files, const std::string& csv,
                                    const std::vector<std::string>& heading) {
  std::vector<std::size_t> columns;
  for (const FileUnits& file : files) {
    const std::filesystem::path path = file.file;
    auto found = heading.end();
    for (const std::string& name : {file.file, path.filename().string(), path.stem().string()})
      if (found == heading.end()) found = std::ranges::find(heading, name);
    if (found == heading.end())
      bad_input("{}: no column of {}, expected one of each file; there are {}", csv, path.filename().string(),
                join(heading, ", "));
    columns.push_back(static_cast<std::size_t>(found - heading.begin()));
  }
  std::set<std::size_t> distinct(columns.begin(), columns.end());
  if (distinct.size() < columns.size())
    bad_input("{}: a column is of several files, expected paths where files have the same name", csv);
  return columns;
}

std::vector<Unit> match_by_csv(const std::vector<FileUnits>& files, const std::string& csv,
                               std::vector<std::string>& left_out) {
  const std::vector<std::string> lines = split(read_text(csv), '\n');
  const std::vector<std::size_t> columns = columns_of(files, csv, fields_of(lines[0]));
  std::vector<Unit> units;
  std::vector<std::set<std::pair<std::size_t, std::size_t>>> used(files.size());
  std::vector<std::map<std::string, std::vector<UnitPlace>>> places(files.size());
  for (std::size_t f = 0; f < files.size(); ++f)
    for (std::size_t s = 0; s < files[f].sources.size(); ++s)
      for (std::size_t u = 0; u < files[f].sources[s].keys.size(); ++u)
        places[f][files[f].sources[s].keys[u]].push_back({s, u});
  std::size_t elsewhere = 0;
  for (std::size_t l = 1; l < lines.size(); ++l) {
    const std::vector<std::string> fields = fields_of(lines[l]);
    if (fields.size() == 1 && fields[0].empty()) continue;
    Unit unit;
    for (std::size_t f = 0; f < files.size(); ++f) {
      const std::string id = columns[f] < fields.size() ? fields[columns[f]] : "";
      if (io::nwb::is_missing(id)) continue;
      if (std::ranges::none_of(files[f].sources,
                               [&](const SourceUnits& source) { return source.known_keys.contains(id); }))
        bad_input("{}:{}: {} has no unit with the id \"{}\", expected one, or nothing where it is missing",
                  csv, l + 1, files[f].file, id);
      const auto at = places[f].find(id);
      if (at == places[f].end()) continue;  // it is not in use
      const std::vector<UnitPlace>& found = at->second;
      if (found.size() > 1)
        bad_input("{}:{}: {} has several units with the id {}, expected one --series, or another --match",
                  csv, l + 1, files[f].file, id);
      if (!used[f].emplace(found[0].source, found[0].unit).second)
        bad_input("{}:{}: unit {} of {} is in a line before, expected it once", csv, l + 1, id,
                  files[f].file);
      unit.push_back(found[0]);
    }
    if (unit.size() == files.size())
      units.push_back(std::move(unit));
    else
      ++elsewhere;
  }
  if (elsewhere > 0)
    left_out.push_back(fmt::format("{} of {} that not every file has in use", counted(elsewhere, "unit"),
                                   std::filesystem::path(csv).filename().string()));
  for (std::size_t f = 0; f < files.size(); ++f) {
    std::size_t count = 0;
    for (const SourceUnits& source : files[f].sources) count += source.units.size();
    if (count > used[f].size())
      left_out.push_back(fmt::format("{}: {} not in {}", name_of(files[f].file),
                                     counted(count - used[f].size(), "unit"),
                                     std::filesystem::path(csv).filename().string()));
  }
  return units;
}

/// The layer of each series and region: named as the region, with the series where several have it.
class LayerNames {
 public:
  explicit LayerNames(std::span<const FileUnits> files) {
    for (const SourceUnits& source : files[0].sources) paths_.push_back(source.path);
    for (const FileUnits& file : files)
      for (std::size_t s = 0; s < file.sources.size(); ++s)
        for (const io::nwb::Unit& unit : file.sources[s].units) sources_of_[unit.region].insert(s);
  }
  [[nodiscard]] std::string name(const std::string& region, std::size_t source) const {
    return sources_of_.at(region).size() == 1 ? region : region + " (" + paths_[source] + ")";
  }

 private:
  std::vector<std::string> paths_;
  std::map<std::string, std::set<std::size_t>> sources_of_;
};

/// Layers of units that are the same in all files.
std::vector<MatchedLayer> layers_of(const std::vector<FileUnits>& files, const std::vector<Unit>& units) {
  const LayerNames names(std::span<const FileUnits>(files).first(1));
  std::map<std::string, MatchedLayer> layers;
  std::size_t moved = 0;
  for (const Unit& unit : units) {
    const std::string& region = region_of(files[0], unit[0]);
    MatchedLayer& layer = layers[names.name(region, unit[0].source)];
    layer.files.resize(files.size());
    bool is_moved = false;
    for (std::size_t f = 0; f < files.size(); ++f) {
      layer.files[f].push_back(unit[f]);
      is_moved = is_moved || region_of(files[f], unit[f]) != region;
    }
    moved += is_moved ? 1U : 0U;
  }
  if (moved > 0)
    spdlog::warn("{} in another layer in some file: took the layer in {}", counted(moved, "unit"),
                 name_of(files[0].file));
  std::vector<MatchedLayer> result;
  for (auto& [name, layer] : layers) {
    layer.name = name;
    result.push_back(std::move(layer));
  }
  return result;
}

/// Layers of units that are others in each file.
std::vector<MatchedLayer> layers_of_samples(const std::vector<FileUnits>& files,
                                            std::vector<std::string>& left_out) {
  const LayerNames names(files);
  std::map<std::string, MatchedLayer> layers;
  for (std::size_t f = 0; f < files.size(); ++f)
    for (std::size_t s = 0; s < files[f].sources.size(); ++s)
      for (std::size_t u = 0; u < files[f].sources[s].units.size(); ++u) {
        MatchedLayer& layer = layers[names.name(files[f].sources[s].units[u].region, s)];
        layer.files.resize(files.size());
        layer.files[f].push_back({s, u});
      }
  std::vector<MatchedLayer> result;
  for (auto& [name, layer] : layers) {
    layer.name = name;
    std::size_t units = 0;
    for (const auto& places : layer.files) units += places.size();
    if (std::ranges::any_of(layer.files, [](const auto& places) { return places.empty(); }))
      left_out.push_back(
          fmt::format("{} of layer {}, which not every file has", counted(units, "unit"), name));
    else
      result.push_back(std::move(layer));
  }
  if (result.empty())
    bad_input("{}: no layer is in all of {}: {}", files[0].file, counted(files.size(), "file"),
              join(left_out, "; "));
  return result;
}

}  // namespace

bool is_csv(const std::string& match) {
  std::string end = std::filesystem::path(match).extension().string();
  std::ranges::transform(end, end.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return end == ".csv";
}

MatchedUnits match_units(const std::vector<FileUnits>& files, const std::string& match) {
  MatchedUnits matched;
  if (files.size() == 1 || match == "none") {
    matched.layers = layers_of_samples(files, matched.left_out);
    return matched;
  }
  const std::vector<Unit> units = is_csv(match) ? match_by_csv(files, match, matched.left_out)
                                                : match_by_column(files, match, matched.left_out);
  if (units.empty())
    bad_input("--match {}: no unit is in all of {} ({}), expected another column, a CSV file, or none", match,
              counted(files.size(), "file"), join(matched.left_out, "; "));
  matched.layers = layers_of(files, units);
  return matched;
}

double session_start(const io::nwb::File& file) {
  constexpr const char* name = "session_start_time";
  if (!file.root().has_dataset(name))
    file.root().fail(std::string("has no ") + name + ", expected one in each file, or --order given");
  const std::string text = join(file.root().dataset(name).read<std::string>(), " ");
  const auto fail = [&] {
    file.root().dataset(name).fail("\"" + text +
                                   "\", expected a time such as 2026-01-31T09:30:00+01:00, or --order given");
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, read = 0;
  double second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*[T ]%2d:%2d%n", &year, &month, &day, &hour, &minute, &read) <
          5 ||
      read == 0)
    fail();
  std::string rest = text.substr(static_cast<std::size_t>(read));
  if (rest.starts_with(':')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789.", 1), rest.size());
    const auto value = parse_number<double>(rest.substr(1, end - 1));
    if (!value) fail();
    second = *value;
    rest = rest.substr(end);
  }
  int offset = 0;  // minutes
  if (!rest.empty() && rest != "Z" && rest != "z") {
    int hours = 0, minutes = 0;
    read = 0;
    const bool has_offset =
        (rest[0] == '+' || rest[0] == '-') &&
        ((std::sscanf(rest.c_str() + 1, "%2d:%2d%n", &hours, &minutes, &read) == 2 && read > 0) ||
         (std::sscanf(rest.c_str() + 1, "%2d%2d%n", &hours, &minutes, &read) == 2 && read > 0));
    if (!has_offset || static_cast<std::size_t>(read) + 1 != rest.size()) fail();
    offset = (rest[0] == '-' ? -1 : 1) * (60 * hours + minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) fail();
  const auto days = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
  return 86400 * days + 60.0 * (60 * hour + minute - offset) + second;
}

}  // namespace lrid::measure
