#pragma once

#include <cstdint>
#include <filesystem>
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
};

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

/// Responses of an NWB file as a recording: one layer for each brain region or plane, in order of name. A
/// response is the mean over the window after a trial's start (io::nwb::File::source). Leaves out, and counts
/// by reason in the provenance "source_left_out", trials
/// - without a start, stimulus or session (NaN, no text), or without a stop where other trials have one;
/// - whose window overlaps an interval of intervals/invalid_times;
/// - whose window some series was not measured in, or has no value of.
io::Activity import_nwb(const std::filesystem::path& path, const NwbImport& import);

/// Lists what an NWB file offers to import, for people.
void list_nwb(const std::filesystem::path& path, std::ostream& out);

}  // namespace lrid::measure
