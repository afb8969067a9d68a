#pragma once

#include <memory>
#include <string>

#include <lrid/nn/network.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

/// The network that a run trains, with its initial values, on its device.
std::unique_ptr<nn::Network> build_network(const RunConfig& config, const tasks::TaskShape& shape);

/// The same on the CPU whatever its device, to count what passes through it.
std::unique_ptr<nn::Network> build_on_cpu(RunConfig config, const tasks::TaskShape& shape);

/// A network as the usual data of a task make it (TaskEntry::usual_shape), without values and memory, to
/// count layers and parameters of. InputError where the two do not fit.
std::unique_ptr<nn::Network> outline_network(const std::string& architecture, const std::string& task);

}  // namespace lrid::train
