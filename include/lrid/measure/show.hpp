#pragma once

#include <filesystem>
#include <ostream>

namespace lrid::measure {

/// What a file holds, for people: trajectory, dataset, recording, observables and results files in their own
/// terms, with a small table of statistics and where they come from; what an NWB file offers to import; any
/// other HDF5 file as a list of what is in it. InputError for anything else.
void show(const std::filesystem::path& path, std::ostream& out);

}  // namespace lrid::measure
