#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lrid/io/dataset.hpp>
#include <lrid/io/trajectory.hpp>

namespace lrid::measure {

/// Networks found, by their status.
struct Collection {
  io::Dataset dataset;
  std::int64_t networks = 0;  ///< complete ones: those in the dataset
  std::int64_t running = 0;
  /// Reason ("loss is nan") → number of networks that failed with it.
  std::map<std::string, std::int64_t> failed;
};

/// Returns the given files (trajectories, datasets), and all `*.h5` in the given folders and below, in order
/// of path, each once. Passes over `out`, which may be in one of the folders since an earlier call. Throws
/// InputError if `out` is one of the trajectories, for a path that does not exist, and for a folder without
/// any `*.h5`.
std::vector<std::filesystem::path> trajectory_files(const std::vector<std::filesystem::path>& paths,
                                                    const std::filesystem::path& out = {});

/// Makes a dataset of complete networks, one by one: a sample for each layer, and one more for each layer and
/// imperfect measurement.
class DatasetBuilder {
 public:
  /// The files that networks will come from. `meta/network` is the file's name without extension; with the
  /// folder in front where two files share a name.
  explicit DatasetBuilder(const std::vector<std::filesystem::path>& files);
  ~DatasetBuilder();

  /// InputError if it does not fit those before: in the number of points, the observables, the kernel of the
  /// layer change, or (within one task, data set and architecture) the probe stimuli; also if it was added
  /// before. `with_perfect`: whether the perfect measurement counts as a sample.
  void add(const std::filesystem::path& file, const io::Trajectory& trajectory, bool with_perfect = true);
  /// Adds the samples of a dataset made earlier. InputError if it does not fit those before, in points or
  /// observables, and for a network that is there already.
  void add(const std::filesystem::path& file, const io::Dataset& samples);
  [[nodiscard]] std::int64_t networks() const;
  [[nodiscard]] const io::Dataset& dataset() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes a dataset of complete networks: one sample per layer, and one more per layer and imperfect
/// measurement; samples of datasets among the files are added as they are. Failed and unfinished networks are
/// counted and left out.
///
/// InputError names the first file that is neither trajectory nor dataset, is truncated, or does not fit the
/// others (DatasetBuilder); also for one network given twice, which would be in training and test data at
/// once, and where no network is complete.
Collection collect(const std::vector<std::filesystem::path>& files);

/// Keeps the admissible observables only: those that were finite in all networks of the study, which are all
/// that classifiers use.
void keep_admissible(io::Dataset& dataset);

constexpr int float_mantissa = 23;  ///< bits
/// Rounds every statistic to so many bits of mantissa (ties to even), of float_mantissa, so that the file
/// compresses: the relative error is at most 2^−(bits+1). NaN, infinities, zeros stay.
void round_mantissas(io::Dataset& dataset, int bits);

}  // namespace lrid::measure
