#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <lrid/core/options.hpp>

namespace lrid::data {

/// Which samples train, validate and probe (observables.md, "Probe set and mode"). All draws are keyed by
/// `seed` alone, never by model or dataset seeds, so that all networks of a sweep have the same.
struct SplitOptions {
  double validation_fraction = 0.1;                ///< where a data set has no validation samples of its own
  std::optional<std::int64_t> training_samples{};  ///< train on so many, balanced over classes; without: all
  std::int64_t probe_size = 512;
  std::int64_t seed = 0;  ///< [probe] seed
  /// data.training_samples, data.validation_fraction, [probe].
  void declare(Options& options);
};

struct Split {
  std::vector<std::int64_t> training;    ///< sample numbers, ascending
  std::vector<std::int64_t> validation;  ///< in keyed random order: any first part is a fair sample
  std::int64_t probe_size = 0;           ///< the probe is the first so many of `validation`
};

/// Splits samples 0 … labels.size()−1, of which those from `given_validation` on are validation samples by
/// origin. If there are none, sample i validates if a hash of (seed, i) falls below the fraction: a sample's
/// part does not depend on how many others there are.
///
/// Training samples are limited by taking, class after class in turn, each class's next sample in keyed
/// random order, so that class sizes differ by one at most while all classes last.
///
/// InputError if nothing is left to train on or to validate with, or fewer than training_samples.
Split make_split(const std::vector<std::int64_t>& labels, std::int64_t given_validation,
                 const SplitOptions& options);

}  // namespace lrid::data
