// Cost of a trajectory point: the probe set's pass through a network with all layers measured, against
// the same pass alone, in turns, in one process.
//
//     bench_point ARCHITECTURE STIMULI THREADS ROUNDS [DEVICE]   → medians, and the median of the rounds'
//     ratios
//
// DEVICE: cpu (default) or cuda, which is waited for at the end of everything that is timed.
// Stimuli pass in chunks of 64. "begin" is the cost before the first stimulus: the statistics of
// the kernels, and S = kernel∗1 in float64.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <lrid/core/app.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/observe/network_observer.hpp>

#include "step_case.hpp"
#include "timing.hpp"

namespace lrid {
namespace {

constexpr std::int64_t chunk = 64;

void run(int argc, char** argv) {
  if (argc != 5 && argc != 6) bad_input("expected ARCHITECTURE STIMULI THREADS ROUNDS [cpu or cuda]");
  const std::string architecture_name = argv[1];
  const std::int64_t stimuli = std::stoi(argv[2]);
  const int threads = std::stoi(argv[3]), rounds = std::stoi(argv[4]);
  const torch::Device device(argc == 6 ? argv[5] : "cpu");
  nn::keep_freed_memory();
  at::set_num_threads(threads);
  const stats::ThreadLimit limit(threads);
  const torch::NoGradGuard no_grad;

  StepCase on = step_case(architecture_name, std::min(stimuli, chunk));
  on.images = on.images.to(device);
  const auto network = nn::architectures()
                           .at(architecture_name)
                           .build({.input = on.input,
                                   .classes = on.classes,
                                   .options = torch::TensorOptions(torch::kFloat32).device(device)});
  network->set_training(false);
  observe::NetworkObserver observer(*network, {stats::Imperfection{}}, on.images.slice(0, 0, 1));
  const auto pass = [&] {
    for (std::int64_t begin = 0; begin < stimuli; begin += chunk)
      network->forward(on.images.slice(0, 0, std::min(chunk, stimuli - begin)));
  };
  const auto timed = [&](const auto& work) {
    return seconds_of([&] {
      work();
      if (device.is_cuda()) torch::cuda::synchronize(device.index());
    });
  };
  if (!device.is_cpu()) pass();  // libraries choose and load their kernels
  std::vector<double> alone, begins, measured, ratios;
  for (int round = 0; round < rounds; ++round) {
    alone.push_back(timed(pass));
    begins.push_back(timed([&] { observer.begin(nullptr, Key(1)); }));
    network->set_sink(observer.sink());
    measured.push_back(timed([&] {
      pass();
      static_cast<void>(observer.rows(0));
    }));
    network->set_sink({});
    ratios.push_back((begins.back() + measured.back()) / alone.back());
  }
  std::printf(
      "%s, %ld stimuli, %s, %d threads, medians of %d rounds: forward %.4f s, begin %.4f s, "
      "forward with measuring %.4f s; point / forward %.3f\n",
      architecture_name.c_str(), static_cast<long>(stimuli), device.str().c_str(), threads, rounds,
      median(alone), median(begins), median(measured), median(ratios));
}

}  // namespace

int run_point(int argc, char** argv) {
  return run_app("bench_point", [&] { run(argc, argv); });
}

}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_point(argc, argv);
}
