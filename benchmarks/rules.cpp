// Cost of the learning rules: one training step of each, in turns, in one process.
//
//     bench_rules ARCHITECTURE BATCH THREADS ROUNDS [RULE...]   → a table; all rules unless some are named
//
// Ratios are medians over rounds of (a rule's step / sgdm's step of the same round). "layer work" is one
// transposed convolution and one weight gradient of every layer, with tensors of that step's shapes: what a
// layer-wise loss cannot do without. A second ratio is to sgdm's step + layer work.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <lrid/core/app.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "step_case.hpp"
#include "timing.hpp"

namespace lrid {
namespace {

/// A network of its own for each rule, so that rules can take turns.
struct Contender {
  std::string name;
  std::unique_ptr<nn::Network> network;
  std::unique_ptr<rules::LearningRule> rule;
  std::vector<double> times{};
};

void step(Contender& contender, const StepCase& on, std::int64_t number) {
  contender.rule->prepare({.step = number, .learning_rate = 0.005});
  at::cross_entropy_loss(contender.network->forward(on.images), on.labels).backward();
  contender.rule->update();
}

/// Inputs and preactivations of all layers in a training pass.
struct LayerWork {
  std::vector<torch::Tensor> inputs, outputs;

  LayerWork(nn::Network& network, const StepCase& on) {
    for (const auto& layer : network.layers()) layer->capture.keep_forward = true;
    network.forward(on.images);
    for (const auto& layer : network.layers()) {
      inputs.push_back(std::exchange(layer->capture.input, {}));
      outputs.push_back(std::exchange(layer->capture.preactivation, {}));
      layer->capture.keep_forward = false;
    }
  }
  void run(const nn::Network& network) const {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const nn::ObservedLayer& layer = *network.layers()[i];
      static_cast<void>(layer.apply_transposed(layer.weight, outputs[i], inputs[i].sizes()));
      static_cast<void>(layer.kernel_gradient(inputs[i], outputs[i]));
    }
  }
};

void run(int argc, char** argv) {
  if (argc < 5) bad_input("expected ARCHITECTURE BATCH THREADS ROUNDS [RULE...]");
  const std::string architecture_name = argv[1];
  const int batch = std::stoi(argv[2]), rounds = std::stoi(argv[4]);
  std::vector<std::string> names(argv + 5, argv + argc);
  if (names.empty()) names = rules::learning_rules().names();
  std::erase(names, "sgdm");
  names.insert(names.begin(), "sgdm");
  nn::keep_freed_memory();
  at::set_num_threads(std::stoi(argv[3]));

  const nn::Architecture& architecture = nn::architectures().at(architecture_name);
  const StepCase on = step_case(architecture_name, batch);
  std::vector<Contender> contenders;
  for (const std::string& name : names) {
    Options options;
    contenders.push_back({name, architecture.build({.input = on.input, .classes = on.classes}),
                          rules::learning_rules().at(name).make(options, architecture.weight_decay)});
    contenders.back().rule->attach(*contenders.back().network, Key(1));
    step(contenders.back(), on, 0);
  }
  const nn::Network& sgdm = *contenders.front().network;
  const LayerWork layer_work(*contenders.front().network, on);
  layer_work.run(sgdm);
  std::vector<double> layer_times;
  for (int round = 1; round <= rounds; ++round) {
    for (Contender& contender : contenders)
      contender.times.push_back(1000 * seconds_of([&] { step(contender, on, round); }));
    layer_times.push_back(1000 * seconds_of([&] { layer_work.run(sgdm); }));
  }

  std::printf("%s, batch %d, %s threads, medians of %d rounds\n", architecture_name.c_str(), batch, argv[3],
              rounds);
  std::printf("%-10s %10s %8s %18s\n", "rule", "ms", "/ sgdm", "/ (sgdm + layers)");
  for (const Contender& contender : contenders) {
    std::vector<double> to_sgdm, to_both;
    for (std::size_t i = 0; i < layer_times.size(); ++i) {
      const double base = contenders.front().times[i];
      to_sgdm.push_back(contender.times[i] / base);
      to_both.push_back(contender.times[i] / (base + layer_times[i]));
    }
    std::printf("%-10s %10.2f %8.3f %18.3f\n", contender.name.c_str(), median(contender.times),
                median(to_sgdm), median(to_both));
  }
  std::printf("%-10s %10.2f\n", "layer work", median(layer_times));
}

}  // namespace

int run_rules(int argc, char** argv) {
  return run_app("bench_rules", [&] { run(argc, argv); });
}

}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_rules(argc, argv);
}
