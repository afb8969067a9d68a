#pragma once

#include <memory>

#include <lrid/identify/experiment.hpp>

namespace lrid::identify {

namespace key = io::condition_key;

// One function per file of this folder; experiments.cpp lists them.
std::unique_ptr<Experiment> make_separability();
std::unique_ptr<Experiment> make_controls();
std::unique_ptr<Experiment> make_held_out();
std::unique_ptr<Experiment> make_trajectory();
std::unique_ptr<Experiment> make_imperfection();
std::unique_ptr<Experiment> make_importances();
std::unique_ptr<Experiment> make_none_of_these();
std::unique_ptr<Experiment> make_learning_curve();
std::unique_ptr<Experiment> make_transfer();
std::unique_ptr<Experiment> make_pairs();
std::unique_ptr<Experiment> make_matched();
std::unique_ptr<Experiment> make_targets();

}  // namespace lrid::identify
