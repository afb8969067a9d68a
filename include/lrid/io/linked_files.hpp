#pragma once

#include <filesystem>

namespace lrid::io::hdf5 {

/// Throws InputError if an output is a file that this process reads through another one: behind an external
/// link, or as a dataset's external storage. Such files are known once they have been read.
void require_not_read_through_links(const std::filesystem::path& out);

}  // namespace lrid::io::hdf5
