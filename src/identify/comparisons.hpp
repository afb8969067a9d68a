#pragma once

#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::identify {

/// Compares rows of the same results over the networks that both test: classifiers, measures, transforms and
/// kinds of split under otherwise equal conditions, and conditions with the one they depart from (all points,
/// most units and least noise, most training networks, networks not matched). p-values are corrected by
/// Holm's method over the comparisons about the same thing under the same kind of split. Empty for rows
/// without networks.
std::vector<io::RowComparison> compare_rows(const std::vector<io::ResultRow>& rows);

}  // namespace lrid::identify
