#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::report {

/// Returns one self-contained HTML page that shows the outcome of one or several experiments: what was found
/// on the first screen, then a part for each source with a figure or table for each kind of result in it, the
/// methods and a glossary. What a source lacks is left out. Style, script and drawings are inline and nothing
/// is fetched; without the script, values on hover, sorting and stretching to wide windows are missing and
/// nothing else. The page is well-formed XML, too. Throws InputError if `sources` is empty.
std::string render_report(const std::vector<io::NamedResults>& sources);

/// Writes the page, whole or not at all. Throws InputError if `sources` is empty, WorkError if `out` can't be
/// written.
void write_report(const std::vector<io::NamedResults>& sources, const std::filesystem::path& out);

/// Writes every figure of the page as an SVG file that stands alone ("figure-03-controls.svg"), and the
/// numbers of every figure and table as CSV, into a folder that is created if it is missing. Throws
/// InputError if `sources` is empty, `folder` can't be a folder or a file to be written is one of `inputs`,
/// whatever links lead there; WorkError if a file can't be written.
void write_figures(const std::vector<io::NamedResults>& sources, const std::filesystem::path& folder,
                   const std::vector<std::filesystem::path>& inputs = {});

}  // namespace lrid::report
