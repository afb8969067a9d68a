#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/text.hpp>

namespace lrid::learn {

/// A hyperparameter of a grid, with its values as configured and as in the study (Nayebi et al. 2020), as
/// text.
struct GridAxis {
  std::string name, values, study;
};

inline std::string grid_text(const std::vector<std::string>& values) {
  return join(values, ", ");
}
inline std::string grid_text(const std::vector<std::int64_t>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}
inline std::string grid_text(const std::vector<double>& values) {
  return fmt::format("{:g}", fmt::join(values, ", "));
}

/// A note such as "svm: grid differs from the study's: C 1, 50 (study: 1, 50, 500)"; none if the grids are
/// equal.
inline std::vector<std::string> grid_notes(const std::string& classifier, const std::vector<GridAxis>& axes) {
  std::vector<std::string> parts;
  for (const GridAxis& axis : axes)
    if (axis.values != axis.study)
      parts.push_back(fmt::format("{} {} (study: {})", axis.name, axis.values, axis.study));
  if (parts.empty()) return {};
  return {fmt::format("{}: grid differs from the study's: {}", classifier, join(parts, "; "))};
}

}  // namespace lrid::learn
