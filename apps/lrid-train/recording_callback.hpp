#pragma once

#include <memory>

#include <lrid/core/options.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::apps {

/// Joins the two libraries that do not know each other: the training loop and the recorder of trajectories.
std::unique_ptr<train::TrainingCallback> make_callback(const train::RunPlan& plan);

/// Declares the recorder's options.
void declare_observer(Options& options);

}  // namespace lrid::apps
