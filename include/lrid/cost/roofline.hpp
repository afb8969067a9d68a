#pragma once

#include <string_view>

#include <lrid/cost/device_peak.hpp>
#include <lrid/tasks/task.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// The least that a training step of one network must compute and move, whoever computes it.
///
/// flops    2 · multiply-adds of the products with kernels: forward, weight gradient, and the error carried
///          down (by all layers but the first, which has nobody to send it to); what the rule adds
///          (rules::StepWork). What meets padding counts as nothing (processors skip it, though usual counts
///          of flops do not), and so does whatever is done element by element.
/// bytes    traffic to the device's memory. Parameters, gradients, what the rule keeps from step to step:
///          read once, written once; what it never changes: read once. Each product reads or writes its
///          layer's input and output once, in the run's precision (bf16: 2 bytes a number, otherwise 4); what
///          lies between two layers (batch norm, ReLU, pooling) is free, as if it were fused into them.
///
/// A device whose cache holds part of that can be faster than the bytes allow.
struct StepRoofline {
  double flops = 0, bytes = 0;

  /// What the step takes at a device's peak: of its arithmetic or its memory, whichever takes longer.
  [[nodiscard]] double seconds(const DevicePeak& peak) const;
  /// Which of the two that is: "flops" or "bytes".
  [[nodiscard]] std::string_view bound(const DevicePeak& peak) const;
};

/// The roofline of a plan's step in the middle of its run, where all its losses are descended. Builds the
/// network once to count (on the CPU, without data). InputError where network and data do not fit.
StepRoofline step_roofline(const train::RunPlan& plan, const tasks::TaskShape& shape);

}  // namespace lrid::cost
