#pragma once

#include <memory>
#include <vector>

#include <lrid/identify/experiment.hpp>

#include "../study.hpp"

namespace lrid::identify {

/// Builds conditions; trains nothing.
class Experiment {
 public:
  virtual ~Experiment() = default;
  /// Declares and reads the options it has besides the protocol's.
  virtual void declare(Options& options) = 0;
  /// Throws InputError if the study has too little data for it.
  [[nodiscard]] virtual std::vector<Condition> conditions(Study& study) const = 0;
};

// One factory for each source file of this folder; experiments.cpp registers them.
std::unique_ptr<Experiment> make_separability();
std::unique_ptr<Experiment> make_controls();
std::unique_ptr<Experiment> make_held_out();
std::unique_ptr<Experiment> make_trajectory();
std::unique_ptr<Experiment> make_imperfection();
std::unique_ptr<Experiment> make_importances();
std::unique_ptr<Experiment> make_none_of_these();
std::unique_ptr<Experiment> make_learning_curve();
std::unique_ptr<Experiment> make_transfer();
std::unique_ptr<Experiment> make_transforms();
std::unique_ptr<Experiment> make_pairs();
std::unique_ptr<Experiment> make_matched();
std::unique_ptr<Experiment> make_targets();

}  // namespace lrid::identify
