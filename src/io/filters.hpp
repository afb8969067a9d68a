#pragma once

#include <cstdint>
#include <string>

namespace lrid::io::hdf5 {

/// The filter that keeps a dataset from being read since neither libhdf5 nor a plug-in of it brings it, by
/// name and number: "lzf (filter 32000)". Empty if none does. `creation`: the dataset's creation properties.
std::string missing_filter(std::int64_t creation);

/// Says what to do about it: where HDF5 looks for plug-ins, and how to do without.
std::string filter_remedy();

}  // namespace lrid::io::hdf5
