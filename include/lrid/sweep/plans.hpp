#pragma once

#include <filesystem>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::sweep {

/// The runs of a sweep file (formats.md): a run configuration, and tables `[sweep]` or `[[sweep]]` each of
/// whose keys has a list of values for a configuration key. A table means the product of its lists; several
/// tables are united. Results are named
/// `<out_dir>/<architecture>_<task>_<rule>_b<batch>_m<seed>_d<seed>[_<hash8 of what else differs>].h5`.
/// Runs come in the order of the file, the last key varying fastest. InputError for an empty sweep, an empty
/// or missing list, or anything that a run's configuration gets wrong.
std::vector<train::RunPlan> expand_sweep(Config sweep, const std::filesystem::path& out_dir,
                                         const train::DeclareMore& declare_more);

/// Every count-th plan, starting with the index-th (0 ≤ index < count).
std::vector<train::RunPlan> shard(std::vector<train::RunPlan> plans, std::int64_t index, std::int64_t count);

}  // namespace lrid::sweep
