#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <lrid/io/nwb.hpp>
#include <lrid/io/recording.hpp>

namespace lrid::measure {

/// Which responses to take of an NWB file. See `import_nwb`.
struct NwbImport {
  std::vector<std::string> series;          ///< paths of time series or of tables of units
  io::nwb::Window window;                   ///< of a response, in seconds after a trial's start
  std::int64_t points = 0;                  ///< equal blocks of trials; or, where 0:
  std::string session;                      ///< column whose values tell sessions apart
  std::string trials = "intervals/trials";  ///< table
  std::string align = "start_time";         ///< column: seconds
  std::string stimulus;                     ///< column: what was presented; empty: something new every time
  enum class Repeats { average, keep } repeats = Repeats::average;
  std::string layer;  ///< column of the units' table; empty: brain region or plane
  /// Whether to use what the file says is not to be used: trials in intervals/invalid_times, and see
  /// io::nwb::File::source.
  bool use_invalid = false;
  std::string where_units, where_trials;    ///< conditions on the rows of their tables; empty: all
  std::optional<io::nwb::Window> baseline;  ///< whose mean is taken off a response, as `window` is
  enum class Normalize { none, zscore } normalize = Normalize::none;

  // Of several files:
  enum class Order { start, given } order = Order::start;  ///< by session_start_time, or as they are given
  /// What tells that units of two files are the same: a column of their table, whatever its values; a file
  /// NAME.csv with a column for each file and a row for each unit; or "none", where they are others.
  std::string match = "id";
};

/// Whether NwbImport::match is the name of a CSV file.
bool is_csv(const std::string& match);

/// The place of a trial's response.
struct Presentation {
  std::size_t trial;  ///< row of the table
  std::int64_t point, stimulus;
  bool operator==(const Presentation&) const = default;
};

/// Trials as trajectory points and stimuli.
struct Protocol {
  std::vector<Presentation> presentations;  ///< in order of time
  std::int64_t points = 0, stimuli = 0;
  std::vector<std::string> stimulus_names;  ///< [stimuli], where trials have a stimulus
  std::vector<std::string> left_out;        ///< for people: how many trials, and why
};

/// The rule by which all points have the same stimuli. Trials are put in order of their start. With
/// `points` = N, N blocks of ⌊trials/N⌋ consecutive trials; what remains at the end is left out. With
/// sessions, a block for each value, in order of its first trial. Then,
/// - where trials have no stimulus: the first of each block, as many as the smallest block has;
/// - repeats averaged: the stimuli presented in every block, in order of value (numbers by size), each the
///   mean of its presentations in the block;
/// - repeats kept: of each stimulus the first presentations in each block, as many as the block with fewest
///   of them has.
/// `start`, `stimulus` and `session` are indexed by row of the table, the latter two empty where there are
/// none; only rows in `usable` take part. InputError if nothing is left.
Protocol arrange_trials(const std::vector<double>& start, const std::vector<std::string>& stimulus,
                        const std::vector<std::string>& session, std::int64_t points,
                        NwbImport::Repeats repeats, const std::vector<std::size_t>& usable);

/// Responses of NWB files as a recording, the points of each file behind those of the file before it; where
/// neither points nor sessions are chosen, one point a file. Stimuli are those that every point has.
/// - Units that not every file has are left out, and counted. Layer and id are those in the first file.
/// - With `match` "none", layers have as many units as in the file with most of them; in the others the last
///   ones are NaN. Layers that not every file has are left out.
/// - With a baseline, a unit has a response if it has both; trials without either window are left out.
/// - `zscore`: less the unit's mean over all points and stimuli, in their standard deviation; 0 where a unit
///   does not vary. With `match` "none" over the points of each file.
/// Of a file: one layer for each brain region or plane, in order of name. A response is the mean over the
/// window after a trial's start (io::nwb::File::source). Leaves out, and counts by reason in the provenance
/// "source_left_out", trials
/// - that do not meet `where_trials`;
/// - without a start, stimulus or session (NaN, no text), or without a stop where other trials have one;
/// - whose window overlaps an interval of intervals/invalid_times;
/// - whose window some series was not measured in, or has no value of.
io::Activity import_nwb(const std::vector<std::filesystem::path>& paths, const NwbImport& import);
inline io::Activity import_nwb(const std::filesystem::path& path, const NwbImport& import) {
  return import_nwb(std::vector<std::filesystem::path>{path}, import);
}

/// Lists what an NWB file offers to import, for people.
void list_nwb(const std::filesystem::path& path, std::ostream& out);

}  // namespace lrid::measure
