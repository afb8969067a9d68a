#pragma once

#include <optional>
#include <string>
#include <vector>

#include "view.hpp"

namespace lrid::report {

enum class Agreement { agrees, disagrees, undecided };

/// A finding of Nayebi et al. 2020, and how results compare with it.
struct StudyFinding {
  std::string statement;
  struct Outcome {
    Agreement agreement;
    std::string evidence;  ///< the numbers that say so
  };
  /// Nothing where the results don't test the finding.
  std::optional<Outcome> (*compare)(const View& view);
};

const std::vector<StudyFinding>& study_findings();

/// "agrees", "does not agree", "not decided".
std::string_view name_of(Agreement agreement);

}  // namespace lrid::report
