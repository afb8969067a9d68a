#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

struct RunRequest {
  Config config;                                ///< formats.md: `experiment`, `classifiers`, ... at the top
  std::filesystem::path data;                   ///< dataset file
  std::filesystem::path out;                    ///< results.json
  std::optional<std::filesystem::path> splits;  ///< file for the split plans (JSON), if wanted
};

/// Runs an experiment and writes its results. Cells (condition × classifier × split) are computed in parallel
/// and kept in the folder `<out>.cells` until the results are written, so that an interrupted run resumes.
/// The same data, configuration and seed give the same numbers, whatever the number of threads. Throws
/// InputError for a fault in configuration or data, and Interrupted.
io::Results run(const RunRequest& request);

/// Progress of a run.
struct Cells {
  std::size_t done = 0, all = 0;
};
/// Computes shard `index` of `count` (0 ≤ index < count) of the cells into `<out>.cells`, without writing
/// results; other shards may run at the same time. Once all cells are there, `run` or `gather` only assembles
/// them. Throws as run() does.
Cells run_shard(const RunRequest& request, std::size_t index, std::size_t count);

/// Reads results files and assembles the cells that shards left in folders (`<out>.cells`). Folders of the
/// same configuration, dataset and program version form one run, listed where the first of them is; its
/// results equal those of an undivided run except for `seconds`, which is 0. `data` replaces the dataset path
/// recorded in the folders. Throws InputError for other files, missing shards (which it names), and a missing
/// or different dataset.
std::vector<io::NamedResults> gather(const std::vector<std::filesystem::path>& sources,
                                     const std::optional<std::filesystem::path>& data = std::nullopt);

/// Help on every configuration key of this experiment. Throws InputError for an unknown one.
std::string options_help(const std::string& experiment);

/// The outcome as tables in plain text, at most `width` columns wide where no word is longer: accuracies with
/// their intervals, and p-values against chance, a line per condition and a column per classifier;
/// differences between rows that are decided; AUROCs and refusals where classes were unknown; the ten most
/// important observables where the experiment is about importances.
std::string result_table(const io::Results& results, std::size_t width = 80);

}  // namespace lrid::identify
