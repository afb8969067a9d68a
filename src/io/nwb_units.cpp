// Reads from tables where units lie, and whether they are to be used.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_one_of(const std::string& word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

/// Whether a text says yes or no; nothing where it says neither.
std::optional<bool> truth_of(const std::string& text) {
  static constexpr std::array<std::string_view, 3> yes{"true", "1", "yes"}, no{"false", "0", "no"};
  const std::string word = lower(trim(text));
  if (is_one_of(word, yes)) return true;
  if (is_one_of(word, no)) return false;
  return std::nullopt;
}

/// The first value of each row, of a column [rows] or [rows, ...]: suite2p's `iscell` has a probability
/// beside it. Empty for columns of another shape or type.
std::vector<std::string> first_texts(const Table& table, const std::string& column) {
  if (table.is_ragged(column)) return {};
  const hdf5::Dataset data = table.group().dataset(column);
  const hdf5::Shape& shape = data.shape();
  if (data.kind() == hdf5::Kind::other || shape.empty() || shape.size() > 2 || shape[0] != table.rows() ||
      hdf5::element_count(shape) == 0)
    return {};
  const std::vector<std::string> all = texts_of(data, table.group());
  const std::size_t step = all.size() / static_cast<std::size_t>(shape[0]);
  std::vector<std::string> first;
  for (std::size_t i = 0; i < all.size(); i += step) first.push_back(all[i]);
  return first;
}

}  // namespace

std::string known_or_unknown(const std::string& region) {
  return is_missing(region) ? "unknown" : region;
}

std::vector<std::string> keys_of(const Table& table, const SourceOptions& options) {
  if (options.key.empty()) return {};
  return table.first_texts(options.key, "--match " + options.key);
}

std::vector<bool> chosen_rows(const Table& table, const SourceOptions& options) {
  return options.chosen ? options.chosen(table)
                        : std::vector<bool>(static_cast<std::size_t>(table.rows()), true);
}

Region::Region(const hdf5::Dataset& column)
    : rows(read_whole(column)), table(column.attribute_group("table")) {
  for (const std::int64_t row : rows)
    if (row < 0 || row >= table.rows())
      column.fail(
          fmt::format("points to row {}, but {} has {} rows", row, table.group().path(), table.rows()));
}

std::vector<std::string> regions_of(const Table& table, const std::string& layer,
                                    const std::string& otherwise) {
  if (!layer.empty()) return table.texts(layer);
  const auto rows = static_cast<std::size_t>(table.rows());
  if (table.has_column("location")) return table.texts("location");
  const hdf5::Group& group = table.group();
  if (group.has_group("imaging_plane")) {
    const hdf5::Group plane = group.group("imaging_plane");
    if (!plane.has_dataset("location")) return std::vector<std::string>(rows, group.name());
    const auto location = plane.dataset("location").read<std::string>();
    return std::vector<std::string>(rows, location.size() == 1 ? location[0] : group.name());
  }
  for (const char* column : {"electrode_group", "group"}) {  // of units, of electrodes
    if (!table.has_column(column) || !group.dataset(column).holds_references()) continue;
    std::vector<std::string> regions;
    for (const hdf5::Group& electrodes : group.dataset(column).read_groups())
      regions.push_back(electrodes.attribute_or<std::string>("location", electrodes.name()));
    if (regions.size() == rows) return regions;
  }
  return std::vector<std::string>(rows, otherwise);
}

std::optional<PeakElectrodes> peak_electrodes(const Table& units) {
  constexpr const char *column = "peak_channel_id", *place = "/general/extracellular_ephys/electrodes";
  if (!units.has_column(column) || !units.group().has_group(place)) return std::nullopt;
  PeakElectrodes found{{}, Table(units.group().group(place))};
  std::map<std::string, std::int64_t> row_of;  // texts: exact whatever the types, and NaN is just not there
  for (const Id& id : found.table.ids())
    row_of.emplace(std::visit([](auto value) { return std::to_string(value); }, id), std::ssize(row_of));
  for (const std::string& id : units.texts(column)) {
    const auto row = row_of.find(id);
    found.rows.push_back(row == row_of.end() ? -1 : row->second);
  }
  return found;
}

Marked marked_as_invalid(const Table& table) {
  static constexpr std::array<std::string_view, 12> bad_if_true{
      "invalid",     "is_invalid",     "rejected", "is_rejected", "excluded",    "is_excluded",
      "bad_channel", "is_bad_channel", "bad",      "is_bad",      "is_artifact", "is_noise"};
  static constexpr std::array<std::string_view, 10> bad_if_false{
      "valid",  "is_valid", "valid_roi", "accepted", "is_accepted",
      "iscell", "is_cell",  "good",      "is_good",  "default_qc"};
  static constexpr std::array<std::string_view, 8> labels{"quality",       "unit_quality", "cluster_quality",
                                                          "kslabel",       "ks_label",     "label",
                                                          "decoder_label", "status"};
  static constexpr std::array<std::string_view, 7> bad_labels{"noise",    "artifact", "bad",     "invalid",
                                                              "rejected", "excluded", "unusable"};
  Marked marked;
  marked.rows.resize(static_cast<std::size_t>(table.rows()));
  for (const std::string& name : table.columns()) {
    const std::string word = lower(name);
    const bool flag = is_one_of(word, bad_if_true), inverse = is_one_of(word, bad_if_false);
    const bool label = is_one_of(word, labels);
    if (!flag && !inverse && !label) continue;
    const std::vector<std::string> values = first_texts(table, name);
    bool marks = false;
    for (std::size_t row = 0; row < values.size(); ++row) {
      const std::optional<bool> truth = label ? std::nullopt : truth_of(values[row]);
      if (label ? is_one_of(lower(trim(values[row])), bad_labels) : truth == flag)
        marks = marked.rows[row] = true;
    }
    if (marks) marked.columns.push_back(name);
  }
  return marked;
}

}  // namespace lrid::io::nwb
