#pragma once

#include <optional>
#include <string>
#include <vector>

#include "view.hpp"

namespace lrid::report {

/// Something that Nayebi et al. 2020 found, and how results compare with it.
struct StudyFinding {
  std::string statement;
  /// Whether a source agrees, with the figures that say so; nothing where it tests no such thing.
  struct Verdict {
    bool agrees;
    std::string evidence;
  };
  std::optional<Verdict> (*compare)(const View& view);
};

const std::vector<StudyFinding>& study_findings();

}  // namespace lrid::report
