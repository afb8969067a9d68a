// Times single fits on random samples of the study's 507 features with overlapping classes, the worst case
// for trees (which get deep) and support vector machines (many active rows).
#include <benchmark/benchmark.h>

#include <lrid/core/random.hpp>

#include "learn/classifiers.hpp"
#include "learn/conv_stack.hpp"
#include "learn/forest.hpp"

namespace lrid::learn {
namespace {

Samples random_samples(std::int64_t n) {
  Samples samples;
  samples.layout = {.constants = 3, .channels = 24, .points = 21};
  samples.classes = 4;
  samples.x = Matrix::Zero(n, samples.layout.columns());
  Stream stream(Key(1, "samples"));
  for (std::int64_t i = 0; i < n; ++i) {
    samples.labels.push_back(static_cast<int>(i % 4));
    samples.x(i, static_cast<std::int64_t>(stream.below(3))) = 1;
    for (std::int64_t c = 3; c < samples.x.cols(); ++c)
      samples.x(i, c) = stream.normal() + (c % 40 == i % 4 ? 0.5 : 0.0);
  }
  return samples;
}

void forest(benchmark::State& state, MaxFeatures max_features) {
  const Samples samples = random_samples(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Forest::grow(samples, 100, max_features, Key(2)));
  state.SetLabel("100 trees");
}
BENCHMARK_CAPTURE(forest, log2, MaxFeatures::log2)->Arg(1300)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(forest, sqrt, MaxFeatures::sqrt)->Arg(1300)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(forest, all, MaxFeatures::all)->Arg(1300)->Unit(benchmark::kMillisecond)->UseRealTime();

void svm_grid(benchmark::State& state) {
  const Samples samples = random_samples(state.range(0));
  const auto classifier = make_linear_svm();
  for (auto _ : state) benchmark::DoNotOptimize(classifier->fit_grid(samples, samples, Key(3)));
  state.SetLabel("the study's 84 points");
}
BENCHMARK(svm_grid)->Arg(300)->Arg(1300)->Unit(benchmark::kMillisecond)->UseRealTime();

void mlp_epochs(benchmark::State& state) {
  const Samples samples = random_samples(1024);
  const ConvShape shape{.points = 21, .channels = 24, .classes = 4, .kernel = 6, .stride = 1, .constants = 3};
  const ConvStack<float>::Array x = ConvStack<float>::Array::Random(1024, shape.row_size());
  const std::vector<ConvMember> members(static_cast<std::size_t>(state.range(0)), ConvMember{});
  ConvStack<float> stack(shape, members, Key(4));
  for (auto _ : state) stack.train_epoch(x, samples.labels, 512, Key(5));
  const double flops =
      2.0 * 2.0 * 1024 * static_cast<double>(shape.positions() * shape.patch() * 20 * state.range(0));
  state.counters["flop/s"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel("networks in the stack");
}
BENCHMARK(mlp_epochs)->Arg(1)->Arg(4)->Arg(12)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lrid::learn

BENCHMARK_MAIN();
