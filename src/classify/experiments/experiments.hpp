#pragma once

#include <memory>

#include <lrid/classify/experiment.hpp>

namespace lrid::classify {

// One function per file of this folder; experiments.cpp lists them.
std::unique_ptr<Experiment> make_separability();
std::unique_ptr<Experiment> make_held_out();
std::unique_ptr<Experiment> make_controls();

}  // namespace lrid::classify
