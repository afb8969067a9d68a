#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <lrid/io/hdf5.hpp>

/// Files of Neurodata Without Borders, version 2, in HDF5 (https://nwb-schema.readthedocs.io; core 2.x and
/// hdmf-common for tables). Read only, and of it what responses to stimuli can be taken of. Whatever a file
/// lacks or contradicts is an InputError that names file and object.
namespace lrid::io::nwb {

/// A half-open stretch of the session's clock, [begin, end) in seconds.
struct Window {
  double begin = 0, end = 0;
};

/// Part of a column of a table, one of several rows' worth: [first, second).
using Range = std::pair<std::int64_t, std::int64_t>;

/// A DynamicTable: columns of one value a row.
class Table {
 public:
  explicit Table(hdf5::Group group);

  [[nodiscard]] const hdf5::Group& group() const { return group_; }
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(ids_.size()); }
  [[nodiscard]] const std::vector<std::int64_t>& ids() const { return ids_; }
  /// In order of name, without `id` and the indices of ragged columns.
  [[nodiscard]] std::vector<std::string> columns() const;
  [[nodiscard]] bool has_column(const std::string& name) const { return group_.has_dataset(name); }
  /// InputError (with the nearest name) for a column that is not there, ragged, of another length or type.
  [[nodiscard]] std::vector<double> numbers(const std::string& column) const;
  /// Numbers as their shortest decimals.
  [[nodiscard]] std::vector<std::string> texts(const std::string& column) const;
  /// Where each row's values of a ragged column lie.
  [[nodiscard]] std::vector<Range> ranges(const std::string& column) const;

 private:
  [[nodiscard]] hdf5::Dataset column(const std::string& name) const;
  hdf5::Group group_;
  std::vector<std::int64_t> ids_;
};

/// One cell, region of interest, or channel.
struct Unit {
  std::int64_t id;     ///< of its row in the table that describes it; else its place in the data
  std::string region;  ///< brain region or plane, or the value of a chosen column
};

/// What responses can be taken of: units that were measured over some time.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::vector<Unit>& units() const { return units_; }
  /// Whether it was measured throughout the window.
  [[nodiscard]] virtual bool covers(const Window& window) const = 0;
  /// The mean of each unit over each window, NaN where there is none, in any order: to `take(window, unit,
  /// values)`, values being those of `unit` and the units that follow.
  using Take = std::function<void(std::size_t window, std::size_t unit, std::span<const double> values)>;
  virtual void respond(std::span<const Window> windows, const Take& take) const = 0;
  /// One line for people: what it is, its size, its time.
  [[nodiscard]] virtual std::string describe() const = 0;

 protected:
  explicit Source(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::vector<Unit> units_;
};

class File {
 public:
  /// InputError unless the root attribute `nwb_version` says 2.
  explicit File(const std::filesystem::path& path);

  [[nodiscard]] const hdf5::Group& root() const { return file_.root(); }
  [[nodiscard]] const std::string& version() const { return version_; }

  /// Paths of what there is, in order of name: every group that has numbers over time (TimeSeries and the
  /// kinds of it), and "units" where that table holds spike times; tables of intervals.
  [[nodiscard]] std::vector<std::string> sources() const;
  [[nodiscard]] std::vector<std::string> interval_tables() const;

  /// A time series: the mean over the samples with begin ≤ t < end (those that are NaN left out), in the
  /// series' own unit: data × conversion (× channel_conversion) + offset. The dimensions after time are the
  /// units, in row-major order. Or "units", spike trains: the number of spikes in the window divided by its
  /// length, in Hz; NaN where the unit's `obs_intervals` do not hold the window.
  ///
  /// Regions, unless `layer` names a column of the table that describes the units: the imaging plane's
  /// `location` for regions of interest; the `location` of the (first) electrode, else of the electrode
  /// group; else the name of the series.
  [[nodiscard]] std::unique_ptr<Source> source(const std::string& path, const std::string& layer = {}) const;
  [[nodiscard]] Table table(const std::string& path) const;

 private:
  hdf5::InputFile file_;
  std::string version_;
  std::vector<hdf5::Group::Object> objects_;
};

/// Whether a file says of itself that it is NWB, of whatever version.
bool is_nwb(const hdf5::Group& root);

}  // namespace lrid::io::nwb
