#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lrid/io/nwb.hpp>

namespace lrid::io::nwb {

std::unique_ptr<Source> open_series(const hdf5::Group& group, const std::string& path,
                                    const SourceOptions& options);
std::unique_ptr<Source> open_spike_trains(const hdf5::Group& group, const std::string& path,
                                          const SourceOptions& options);

/// The root group of an HDF5 file at an address (is_remote). InputError if HDF5 lacks its ROS3 driver.
hdf5::Group open_remote(const std::string& address);

/// The rows of another table that a column (DynamicTableRegion) points to, and that table.
struct Region {
  std::vector<std::int64_t> rows;
  Table table;

  explicit Region(const hdf5::Dataset& column);
};

/// The values of a table's column as texts: those of hdf5::Dataset::read_texts, the names of the objects that
/// references lead to, the names that an EnumData chooses from.
std::vector<std::string> texts_of(const hdf5::Dataset& column, const hdf5::Group& table);

/// The brain region of each row of a table of electrodes or regions of interest, or the texts of its column
/// `layer`; `otherwise` where the table says nothing of regions.
std::vector<std::string> regions_of(const Table& table, const std::string& layer,
                                    const std::string& otherwise);

/// The electrode of each row of a table of units that names electrodes by id in its column peak_channel_id,
/// −1 where there is no such electrode, and their table. Nothing without that column or table.
struct PeakElectrodes {
  std::vector<std::int64_t> rows;
  Table table;
};
std::optional<PeakElectrodes> peak_electrodes(const Table& units);

/// Rows that a table of units, electrodes or regions of interest marks as not to be used, and the columns
/// that say so.
struct Marked {
  std::vector<bool> rows;
  std::vector<std::string> columns;
};
Marked marked_as_invalid(const Table& table);

/// What `options.key` asks for of each row, empty where it asks for nothing.
std::vector<std::string> keys_of(const Table& table, const SourceOptions& options);
/// Whether `options.chosen` has each row.
std::vector<bool> chosen_rows(const Table& table, const SourceOptions& options);

/// `region`, "unknown" where it is missing.
std::string known_or_unknown(const std::string& region);

}  // namespace lrid::io::nwb
