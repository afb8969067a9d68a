#pragma once

#include <filesystem>
#include <ostream>

namespace lrid::measure {

/// One row for each number, or one for all observables of a layer and point.
enum class TableForm { long_form, wide };

/// Which of a file's tables: observables (of results, the figures), or of a trajectory the losses and
/// accuracies along training, or the alignment of backward with forward kernels.
enum class TableOf { values, metrics, alignment };

/// Writes a file as one table of comma-separated values (RFC 4180, "\n", first line names), numbers as the
/// shortest decimals that read back the same; "NaN", "Inf" and "-Inf" as R and pandas read them. InputError
/// for other files, WorkError if `out` cannot take it.
///
/// - Trajectory, dataset, observables: the first columns say which network (or recording: the file's name
///   without extension), layer, imperfect measurement and point a row is of; then come, in the long form,
///   `observable` and `value`, in the wide one a column for each observable.
/// - Results: experiment, classifier, condition and numbers of samples; then, in the long form, `figure`
///   (accuracy, the extra figures, importance_FEATURE), `split` (mean, sem, 0, 1, ...) and `value`, in the
///   wide one mean and s.e.m. of each figure.
/// - Metrics and alignment: as for a trajectory, with `metric`, or layer and `measure`, in place of
/// `observable`.
void export_csv(const std::filesystem::path& path, std::ostream& out, TableForm form = TableForm::long_form,
                TableOf of = TableOf::values);

}  // namespace lrid::measure
