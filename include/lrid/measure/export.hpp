#pragma once

#include <filesystem>
#include <ostream>

namespace lrid::measure {

/// A trajectory, dataset or observables file as one table of comma-separated values (RFC 4180, "\n", first
/// line names): a row per sample (layer, imperfect cell) and trajectory point, the observables in the last
/// columns. Numbers as the shortest decimals that read back the same; NaN as "nan". InputError for other
/// files, WorkError if `out` cannot take it.
void export_csv(const std::filesystem::path& path, std::ostream& out);

}  // namespace lrid::measure
