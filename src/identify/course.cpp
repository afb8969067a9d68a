#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/index.hpp>
#include <lrid/identify/course.hpp>

namespace lrid::identify {

Course course_of(std::span<const float> trajectory) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  double path = 0;
  for (std::size_t t = 0; t + 1 < trajectory.size(); ++t)
    path += std::abs(static_cast<double>(trajectory[t + 1]) - static_cast<double>(trajectory[t]));
  if (!(path > 0) || std::isinf(path)) return {nan, nan};
  double behind = 0;
  for (std::size_t t = 0; t + 1 < trajectory.size(); ++t) {
    const double step = std::abs(static_cast<double>(trajectory[t + 1]) - static_cast<double>(trajectory[t]));
    if (behind + step >= path / 2) {
      const double at = static_cast<double>(t) + (path / 2 - behind) / step;
      return {at / static_cast<double>(trajectory.size() - 1),
              (static_cast<double>(trajectory.back()) - static_cast<double>(trajectory.front())) / path};
    }
    behind += step;
  }
  return {1, (static_cast<double>(trajectory.back()) - static_cast<double>(trajectory.front())) / path};
}

std::vector<Course> mean_courses(const io::Dataset& data, const Rows& rows,
                                 const std::vector<std::string>& observables) {
  std::vector<Course> result;
  const auto points = to_size(data.points), columns = data.observable_names.size();
  std::vector<float> trajectory(points);
  for (const std::string& name : observables) {
    const auto column =
        to_size(std::ranges::find(data.observable_names, name) - data.observable_names.begin());
    Course sum{0, 0};
    double count = 0;
    for (const std::int64_t row : rows) {
      if (column >= columns) break;
      for (std::size_t t = 0; t < points; ++t)
        trajectory[t] = data.x[(to_size(row) * points + t) * columns + column];
      const Course course = course_of(trajectory);
      if (std::isnan(course.half_time)) continue;
      sum.half_time += course.half_time;
      sum.direction += course.direction;
      ++count;
    }
    result.push_back({sum.half_time / count, sum.direction / count});  // 0/0 where none has one
  }
  return result;
}

}  // namespace lrid::identify
