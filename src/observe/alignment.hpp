#pragma once

#include <vector>

#include <lrid/nn/network.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::observe {

/// Alignment of a layer's backward kernel B with its forward kernel W (learning-rules.md, "What to measure of
/// alignment"). Angles in degrees, whole tensors (the whole batch) as one vector.
struct LayerAlignment {
  double weight_angle;  ///< between W and B
  double error_angle;   ///< between the errors that B and W send down from the same arriving error
  double norm_ratio;    ///< ‖B‖/‖W‖
};

/// Passes a training batch forward and backward, in training mode, and compares. Leaves the network as it
/// was: running averages are put back and gradients cleared. NaN for layers without a B, and for the error
/// angle of the first layer, which sends nothing down. Waits for the device.
std::vector<LayerAlignment> measure_alignment(nn::Network& network, rules::LearningRule& rule,
                                              const tasks::Task& task, const tasks::Batch& batch);

}  // namespace lrid::observe
