#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <lrid/io/dataset.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::observe {

/// How trained networks are measured again.
struct RemeasureOptions {
  std::vector<double> unit_fraction{1}, noise{0};  ///< all combinations
  std::int64_t seed = 0;                           ///< which units and noise are drawn
  std::filesystem::path data_dir;                  ///< holds the data that the networks were trained on
  int threads = 0;                                 ///< 0: all cores
};

/// Measures trajectory files again from their checkpoints (`[checkpoint] keep`), imperfectly: a dataset with
/// one sample per layer and cell, in the order of the files. Each checkpoint's network sees the probe set
/// once, for all cells. With the seed of a grid measured along training, its numbers.
///
/// What is done is kept in the folder `parts`, point by point, and taken up by a later call; the caller
/// removes it once the dataset is written. InputError naming the file: no complete trajectory, checkpoints
/// missing, a probe set that is not the one it was measured with, or a layer change through backward kernels,
/// which checkpoints do not hold. Throws Interrupted between points.
io::Dataset remeasure(const std::vector<std::filesystem::path>& files, const RemeasureOptions& options,
                      const std::filesystem::path& parts);

/// Removes the files that remeasure kept in `parts`, and the folder if that empties it.
void remove_parts(const std::filesystem::path& parts);

}  // namespace lrid::observe
