// Time of one training step: forward, cross entropy, backward, update, on images that are already there.
// step.py runs this in turns with step_twin.py, the same step in plain PyTorch.
//
//     bench_step ARCHITECTURE RULE BATCH THREADS WARM-UP STEPS [cpu]   → one line, milliseconds per step
//     each
//
// RULE "none": forward and backward pass alone. KNets see 32×32 pixels and tell 10 classes, the others
// 224×224 and 1000. "cpu": processor time of all threads instead of time on the wall, for busy machines (with
// 1 thread).
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <lrid/core/app.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "step_case.hpp"

namespace lrid {
namespace {

/// Milliseconds since some moment.
double now(bool processor_time) {
  if (processor_time) return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void run(int argc, char** argv) {
  if (argc != 7 && argc != 8) bad_input("expected ARCHITECTURE RULE BATCH THREADS WARM-UP STEPS [cpu]");
  const std::string architecture_name = argv[1], rule_name = argv[2];
  const int batch = std::stoi(argv[3]), threads = std::stoi(argv[4]), warm_up = std::stoi(argv[5]),
            steps = std::stoi(argv[6]);
  nn::keep_freed_memory();
  at::set_num_threads(threads);

  const nn::Architecture& architecture = nn::architectures().at(architecture_name);
  const StepCase on = step_case(architecture_name, batch);
  const auto network = architecture.build({.input = on.input, .classes = on.classes});
  std::unique_ptr<rules::LearningRule> rule;
  if (rule_name != "none") {
    Options options;
    rule = rules::learning_rules().at(rule_name).make(options, architecture.weight_decay);
    rule->attach(*network, Key(1));
  }

  for (int step = 0; step < warm_up + steps; ++step) {
    const double start = now(argc == 8);
    if (rule) rule->prepare({.step = step, .learning_rate = 0.005});
    at::cross_entropy_loss(network->forward(on.images), on.labels).backward();
    if (rule)
      rule->update();
    else
      for (const nn::Parameter& parameter : network->parameters()) parameter.tensor.mutable_grad().reset();
    if (step >= warm_up) std::printf("%.4f ", now(argc == 8) - start);
  }
  std::printf("\n");
}

}  // namespace

int run_step(int argc, char** argv) {
  return run_app("bench_step", [&] { run(argc, argv); });
}

}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_step(argc, argv);
}
