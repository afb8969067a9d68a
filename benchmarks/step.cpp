// Time of one training step: forward, cross entropy, backward, update, on images that are already there.
// step.py runs this in turns with step_twin.py, the same step in plain PyTorch.
//
//     bench_step ARCHITECTURE RULE BATCH THREADS WARM-UP STEPS [cpu]   → one line, milliseconds per step
//     each
//
// "cpu": processor time of all threads instead of time on the wall, for busy machines (with 1 thread).
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
  const auto network = architecture.build({});
  Options options;
  const auto rule = rules::learning_rules().at(rule_name).make(options, architecture.weight_decay);
  rule->attach(*network, Key(1));
  const torch::Tensor images = torch::randn({batch, 3, 32, 32}), labels = torch::randint(0, 10, {batch});

  for (int step = 0; step < warm_up + steps; ++step) {
    const double start = now(argc == 8);
    rule->prepare({.step = step, .learning_rate = 0.005});
    at::cross_entropy_loss(network->forward(images), labels).backward();
    rule->update();
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
