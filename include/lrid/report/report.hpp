#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::report {

/// One experiment's results and the name under which the page speaks of it.
struct Source {
  std::string name;
  io::Results results;
};

/// One self-contained HTML page (inline CSS and SVG; no scripts, no network) that shows the outcome of one or
/// several experiments: a part for each source, a figure for each kind of result found in it, each with a
/// caption that says what to see. What a source lacks is left out. The page is well-formed XML, too.
/// Throws InputError if `sources` is empty.
std::string render_report(const std::vector<Source>& sources);

/// Writes their page, whole or not at all. Throws WorkError if `out` cannot be written.
void write_report(const std::vector<Source>& sources, const std::filesystem::path& out);

}  // namespace lrid::report
