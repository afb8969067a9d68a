#pragma once

#include <filesystem>
#include <ostream>

namespace lrid::measure {

struct ShowOptions {
  bool config = false;  ///< whether to print the configuration that a file keeps
};

/// Prints what a file holds, for people: trajectory, dataset, recording, observables, results and model files
/// in their own terms, with a small table of statistics and where they come from; what an NWB file offers to
/// import; any other HDF5 file as a list of its objects. InputError for anything else.
void show(const std::filesystem::path& path, std::ostream& out, const ShowOptions& options = {});

}  // namespace lrid::measure
