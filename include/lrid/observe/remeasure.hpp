#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <lrid/io/dataset.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::observe {

/// Options for measuring trained networks again.
struct RemeasureOptions {
  stats::ImperfectionGrid grid;
  std::filesystem::path data_dir;  ///< holds the data that the networks were trained on
  int threads = 0;                 ///< 0: all cores
};

/// Measures trajectory files again from their checkpoints (`[checkpoint] keep`), imperfectly: a dataset with
/// one sample per layer and measurement, in the order of the files. Each checkpoint's network sees the probe
/// set once, for all measurements. With the seed of a grid measured along training, its numbers.
///
/// Keeps finished points in the folder `parts`, from which a later call resumes; the caller removes it once
/// the dataset is written. InputError naming the file: no complete trajectory, checkpoints missing, a probe
/// set that is not the one it was measured with, or a layer change through backward kernels, which
/// checkpoints do not hold. Throws Interrupted between points.
io::Dataset remeasure(const std::vector<std::filesystem::path>& files, const RemeasureOptions& options,
                      const std::filesystem::path& parts);

/// Removes the files that remeasure kept in `parts`, and the folder if that empties it.
void remove_parts(const std::filesystem::path& parts);

}  // namespace lrid::observe
