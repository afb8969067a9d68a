#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <lrid/io/results.hpp>

#include "evaluate.hpp"
#include "study.hpp"

namespace lrid::identify {

/// The networks that the splits of a condition test, by name.
io::TestedNetworks tested_networks(const Condition& condition);

/// The results row of one of the condition's tests; `cells`: [splits], `refuse`: Protocol::refuse.
/// Accuracies, d′, coverage, refusals and AUROC by typicality have intervals over networks, accuracies also
/// p-values against chance unless the split is by sample, where networks are on both sides.
io::ResultRow result_row(const std::string& classifier, const Condition& condition, std::size_t test,
                         const std::vector<CellResult>& cells,
                         std::shared_ptr<const io::TestedNetworks> tested, double refuse);

}  // namespace lrid::identify
