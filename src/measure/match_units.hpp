#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <lrid/io/nwb.hpp>

/// Which units of several NWB files are the same.
namespace lrid::measure {

/// The units of one series, as io::nwb::Source has them.
struct SourceUnits {
  std::string path;
  std::span<const io::nwb::Unit> units;
  std::vector<std::string> keys;
  std::set<std::string> known_keys;
};

struct FileUnits {
  std::string file;  ///< path, for messages
  std::vector<SourceUnits> sources;
};

struct UnitPlace {
  std::size_t source, unit;
};

/// The units of a layer in each file: with the same place in the list, the same unit. Lists may be of several
/// lengths where units of two files are never the same.
struct MatchedLayer {
  std::string name;
  std::vector<std::vector<UnitPlace>> files;
};

struct MatchedUnits {
  std::vector<MatchedLayer> layers;   ///< in order of name
  std::vector<std::string> left_out;  ///< for people
};

/// See NwbImport::match; all units of a single file. Where two series have units of one region, these are
/// layers of their own: planes, probes.
MatchedUnits match_units(const std::vector<FileUnits>& files, const std::string& match);

/// Seconds from 1970 to `session_start_time`, in UTC where that says no offset. InputError without it.
double session_start(const io::nwb::File& file);

}  // namespace lrid::measure
