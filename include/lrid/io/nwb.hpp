#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <lrid/io/hdf5.hpp>

/// Files of Neurodata Without Borders, version 2, in HDF5 (https://nwb-schema.readthedocs.io; core 2.x and
/// hdmf-common for tables). Reads from them what responses to stimuli can be taken of. Whatever a file lacks
/// or contradicts is an InputError that names file and object.
namespace lrid::io::nwb {

/// A half-open stretch of the session's clock, [begin, end) in seconds.
struct Window {
  double begin = 0, end = 0;
};

/// Part of a column of a table, one of several rows' worth: [first, second).
using Range = std::pair<std::int64_t, std::int64_t>;

/// Whether a text stands for no value: blank, or "nan", "null", "n/a" in letters of any size.
bool is_missing(const std::string& text);

/// Integers, also where they are stored as doubles. InputError for another shape than [`rows`] (−1: any) and
/// for numbers that are not whole.
std::vector<std::int64_t> read_whole(const hdf5::Dataset& data, std::int64_t rows = -1);

/// An identifier of a row. Unsigned where the column is, so that hashes of 64 bits stay what they are.
using Id = std::variant<std::int64_t, std::uint64_t>;

/// A DynamicTable: columns of one value a row, and ragged ones. A column is the index of a ragged one if its
/// neurodata_type is VectorIndex or it has an attribute `target`; in tables without types, if it is called
/// "NAME_index" and its numbers end at the length of NAME.
class Table {
 public:
  explicit Table(hdf5::Group group);

  [[nodiscard]] const hdf5::Group& group() const { return group_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::vector<Id> ids() const;
  /// In order of name, without `id` and indices.
  [[nodiscard]] std::vector<std::string> columns() const;
  [[nodiscard]] bool has_column(const std::string& name) const { return group_.has_dataset(name); }
  [[nodiscard]] bool is_ragged(const std::string& column) const { return index_of_.contains(column); }
  /// InputError (with the nearest name) for a column that is not there, ragged, of another length or type.
  [[nodiscard]] std::vector<double> numbers(const std::string& column) const;
  /// As hdf5::Dataset::read_texts; the names of the objects that references lead to, or that an EnumData
  /// chooses from.
  [[nodiscard]] std::vector<std::string> texts(const std::string& column) const;
  /// The same, also of `id`, and of a column of two numbers a row, such as suite2p's `iscell`: the first.
  /// InputError that begins with `who` for any other column.
  [[nodiscard]] std::vector<std::string> first_texts(const std::string& column, const std::string& who) const;
  /// Where each row's values of a ragged column lie.
  [[nodiscard]] std::vector<Range> ranges(const std::string& column) const;

 private:
  [[nodiscard]] hdf5::Dataset column(const std::string& name) const;
  hdf5::Group group_;
  std::int64_t rows_ = 0;
  std::map<std::string, std::string> index_of_;  ///< index of each ragged column
};

/// One neuron, region of interest, or channel.
struct Unit {
  Id id;  ///< of its row in the table that describes it; else its place in the data
  std::string
      region;  ///< brain region or plane, or the value of a chosen column; "unknown" where it is missing
};

/// Whether something was measured in a window, or why not.
enum class Coverage { measured, outside, pause, no_sample, unobserved };

/// Units that were measured over some time, to take responses of.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::vector<Unit>& units() const { return units_; }
  /// What tells each unit apart, where SourceOptions::key asked for it.
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  /// The same of all there are, those not in use among them.
  [[nodiscard]] const std::set<std::string>& known_keys() const { return known_keys_; }
  /// Says for people which units are not used: "2 units marked as not to be used (quality)".
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

  [[nodiscard]] virtual Coverage coverage(const Window& window) const = 0;
  /// The reason for people, to follow "3 trials": "outside of the recorded time of units (0.1 s to 30 s)".
  [[nodiscard]] virtual std::string reason(Coverage coverage) const = 0;
  /// The mean of each unit over each window, NaN where there is none, in any order: to `take(window, unit,
  /// values)`, values being those of `unit` and the units that follow.
  using Take = std::function<void(std::size_t window, std::size_t unit, std::span<const double> values)>;
  virtual void respond(std::span<const Window> windows, const Take& take) const = 0;
  /// Whether responses are rates of events, 0 where there are none.
  [[nodiscard]] virtual bool counts_events() const { return false; }
  /// One line for people: what it is, its size, its time.
  [[nodiscard]] virtual std::string describe() const = 0;
  /// See hdf5::Dataset::unreadable_filter.
  [[nodiscard]] virtual std::string unreadable_filter() const = 0;

 protected:
  explicit Source(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::vector<Unit> units_;
  std::vector<std::string> keys_;
  std::set<std::string> known_keys_;
  std::vector<std::string> left_out_;
};

struct SourceOptions {
  std::string layer;         ///< column to take regions from; empty: see File::source
  bool use_invalid = false;  ///< whether to use what the file says is not to be used
  /// The rows to use of the table that describes the units; none: all. `chosen_by` says who asks.
  std::function<std::vector<bool>(const Table&)> chosen = {};
  std::string chosen_by = {};
  std::string key = {};  ///< column of that table whose values tell units apart; empty: nobody asks
};

class File {
 public:
  /// `path` may be an address, see is_remote(). InputError unless the root attribute `nwb_version` says 2.
  explicit File(const std::filesystem::path& path);

  [[nodiscard]] const hdf5::Group& root() const { return root_; }
  [[nodiscard]] const std::string& version() const { return version_; }

  /// Paths of what there is, in order of name, links followed: every group that has numbers over time
  /// (TimeSeries and the kinds of it) or spike times of units; every table of intervals.
  [[nodiscard]] std::vector<std::string> sources() const;
  [[nodiscard]] std::vector<std::string> interval_tables() const;
  /// Where the soft or external link at a path leads ("/processing/x"); empty where there is no link.
  [[nodiscard]] std::string link(const std::string& path) const;
  /// Links that lead to no object: path and target.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> broken_links() const;

  /// A time series: the mean over the samples with begin ≤ t < end (those that are NaN left out), in the
  /// series' own unit: data × conversion (× channel_conversion) + offset. The dimensions after time are the
  /// units, in row-major order. Or spike trains: the number of spikes in the window divided by its length, in
  /// Hz.
  ///
  /// A series was measured in a window if its samples cover at least nine tenths of it. A sample stands for
  /// the time up to the next one; where that is a pause, more than four times the median of the ten intervals
  /// around it, for one such median. Samples without a time (NaN) do not count. A unit has a response if at
  /// least half of the window's samples have a value.
  /// Units were observed in a window if their `obs_intervals` hold all of it; without them, from the first
  /// spike of any unit to the last, and the mean interval between spikes before and after.
  ///
  /// Units that their table marks as not to be used (a flag such as `valid_roi`, `is_good`, `rejected`,
  /// `bad_channel`, or a `quality` of "noise"), and those never observed, without spikes, are left out unless
  /// `use_invalid`; this also makes all of the recorded time observed.
  ///
  /// Regions, unless `layer` names a column of the table that describes the units: the imaging plane's
  /// `location` for regions of interest; `location` of the unit, its (first) electrode, the electrode whose
  /// id is its `peak_channel_id`, or its electrode group; else the name of the series.
  [[nodiscard]] std::unique_ptr<Source> source(const std::string& path,
                                               const SourceOptions& options = {}) const;
  [[nodiscard]] Table table(const std::string& path) const;

 private:
  /// Groups whose members have all of these names.
  [[nodiscard]] std::vector<std::string> groups_with(std::span<const char* const> names) const;
  hdf5::Group root_;
  std::string version_;
  std::vector<std::string> groups_;  ///< paths, links followed
  std::map<std::string, hdf5::Group::Linked> links_;
};

/// Whether a file says of itself that it is NWB, of whatever version.
bool is_nwb(const hdf5::Group& root);

/// Whether a path is an address, "https://…" or "s3://BUCKET/KEY" (or "http://…"), that HDF5 reads through
/// its ROS3 driver, without credentials.
bool is_remote(const std::filesystem::path& path);

}  // namespace lrid::io::nwb
