#pragma once

#include <memory>
#include <string>

#include <lrid/core/registry.hpp>

namespace lrid::identify {

/// Turns a dataset into conditions to train and test on; src/identify/experiments/.
class Experiment;

struct ExperimentEntry {
  std::string name, summary;
  std::unique_ptr<Experiment> (*make)();
  bool imperfect = false;  ///< includes imperfectly measured samples unless a filter excludes them
};

/// Every experiment that a configuration can name.
const Registry<ExperimentEntry>& experiments();

}  // namespace lrid::identify
