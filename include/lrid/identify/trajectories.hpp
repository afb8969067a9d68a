#pragma once

#include <string>
#include <vector>

#include <lrid/identify/feature_table.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

/// Mean ± s.e.m. over the samples of each class, at every point, of some observables of `table`. Values are
/// z-scored (over samples and time) within each layer of each architecture and task, so that layers whose
/// scales lie decades apart share an axis and what is left is how the classes differ.
std::vector<io::Results::MeanTrajectory> mean_trajectories(const FeatureTable& table, const Rows& rows,
                                                           const Target& target,
                                                           const std::vector<std::string>& observables);

}  // namespace lrid::identify
