#pragma once

#include <filesystem>
#include <ostream>

namespace lrid::measure {

/// One row for each number, or one for all observables of a layer and point.
enum class TableForm { long_form, wide };

/// A trajectory, dataset or observables file as one table of comma-separated values (RFC 4180, "\n", first
/// line names). The first columns say which network (or recording: the file's name without extension), layer,
/// imperfect cell and point a row is of; then come, in the long form, `observable` and `value`, in the wide
/// one a column for each observable. Numbers as the shortest decimals that read back the same; "NaN", "Inf"
/// and "-Inf" as R and pandas read them. InputError for other files, WorkError if `out` cannot take it.
void export_csv(const std::filesystem::path& path, std::ostream& out, TableForm form = TableForm::long_form);

}  // namespace lrid::measure
