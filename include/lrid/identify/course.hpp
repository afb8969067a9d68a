#pragma once

#include <span>
#include <string>
#include <vector>

#include <lrid/identify/metadata.hpp>
#include <lrid/io/dataset.hpp>

namespace lrid::identify {

/// How a statistic runs along a trajectory, free of its scale; for words, not a feature.
struct Course {
  /// When half of its path Σ|x_{t+1} − x_t| lies behind it, as a fraction of the trajectory; linear between
  /// points. NaN if it stays as it is, or is not finite.
  double half_time;
  double direction;  ///< (x_T − x_1) / path: 1 if it only grows, −1 if it only falls; NaN likewise
};
Course course_of(std::span<const float> trajectory);

/// Means over samples (`rows`), observable by observable; those that are NaN count for nothing.
std::vector<Course> mean_courses(const io::Dataset& data, const Rows& rows,
                                 const std::vector<std::string>& observables);

}  // namespace lrid::identify
