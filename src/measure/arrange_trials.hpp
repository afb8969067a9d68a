#pragma once

// Trials as points and stimuli, of one file or of several: what arrange_trials (import_nwb.hpp) is made of.

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/measure/import_nwb.hpp>

namespace lrid::measure {

/// Table of the times that are not to be used.
inline constexpr const char* invalid_times_path = "intervals/invalid_times";

/// The trials of a file in order of time, and the point that each belongs to, −1 for those of none.
struct Blocks {
  std::vector<std::size_t> order;
  std::vector<std::int64_t> blocks;
  std::int64_t points = 0;
};

/// Sorts the usable trials by their start and divides them by the rule of arrange_trials. InputError where
/// there are fewer than points.
Blocks block_trials(const std::vector<double>& start, const std::vector<std::string>& session,
                    std::int64_t points, const std::vector<std::size_t>& usable);

/// The trials of one of several files.
struct FileTrials {
  Blocks blocks;
  const std::vector<std::string>& stimulus;  ///< by row of the table
};

/// The protocol of each file, by the rule of arrange_trials over the points of all; `left_out` for people.
std::vector<Protocol> arrange(const std::vector<FileTrials>& files, NwbImport::Repeats repeats,
                              std::vector<std::string>& left_out);

}  // namespace lrid::measure
