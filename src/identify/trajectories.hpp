#pragma once

#include <string>
#include <vector>

#include <lrid/identify/feature_table.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

/// Mean ± s.e.m. over the networks of each class, each the mean of its layers, at every point, of the named
/// observables of `table`. Values
/// are z-scored over samples and time within each layer of each architecture and task, so that layers decades
/// apart in scale share an axis and only the differences between classes remain.
std::vector<io::Results::MeanTrajectory> mean_trajectories(const FeatureTable& table, const Rows& rows,
                                                           const Target& target,
                                                           const std::vector<std::string>& observables);

}  // namespace lrid::identify
