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
  std::optional<std::filesystem::path> splits;  ///< where to save the split plans (JSON), if anywhere
};

/// Runs an experiment and writes its results. Every (condition, classifier, split) is a cell, computed in
/// parallel and kept in the folder `<out>.cells` until the results are written, so that an interrupted run
/// goes on where it was. Same data, configuration and seed: same numbers, whatever the number of threads.
/// InputError for what is wrong with configuration or data; Interrupted.
io::Results run(const RunRequest& request);

/// How far a run has come.
struct Cells {
  std::size_t done = 0, all = 0;
};
/// Computes one of `count` shares of the cells (0 ≤ index < count) into `<out>.cells` and writes no results:
/// runs of the other shares may be under way. Once all cells are there `run` or `gather` only puts them
/// together.
Cells run_shard(const RunRequest& request, std::size_t index, std::size_t count);

/// Reads results files, and puts the cells together that shards left in folders (`<out>.cells`): folders of
/// one configuration, dataset and program version are one run, at the place of the first. Its results are
/// those of an undivided run but for `seconds`, which is 0. `data` is the dataset of all such folders where
/// it is not in its place any more. InputError for what is neither, for shards that are missing (it says
/// which), and for a missing or other dataset.
std::vector<io::NamedResults> gather(const std::vector<std::filesystem::path>& sources,
                                     const std::optional<std::filesystem::path>& data = std::nullopt);

/// Help on every key that a configuration of this experiment may have.
std::string options_help(const std::string& experiment);

/// Accuracies as a table in plain text: a line per condition, a column per classifier.
std::string accuracy_table(const io::Results& results);

}  // namespace lrid::identify
