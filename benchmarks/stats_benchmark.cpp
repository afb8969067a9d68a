// The statistics engine against a plain read of the same data, single core: 512 stimuli of 32,768 units (the
// first layer of a KNet), as normal values, behind a ReLU, and as halves; and a kernel of a million entries.
// The counter "ns/element" is what to compare. bench_stats --benchmark_min_time=1
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <lrid/core/random.hpp>
#include <lrid/stats/distribution.hpp>
#include <lrid/stats/layer_fold.hpp>

namespace lrid::stats {
namespace {

constexpr std::int64_t stimuli = 512, units = 32768;

enum Data { normal, relu };

const std::vector<float>& data(Data kind) {
  static std::vector<float> made[2];
  std::vector<float>& values = made[kind];
  if (values.empty()) {
    Stream stream{Key(1)};
    values.resize(stimuli * units);
    for (float& value : values) {
      value = static_cast<float>(stream.normal());
      if (kind == relu && value < 0) value = 0;
    }
  }
  return values;
}

void count_elements(benchmark::State& state, std::int64_t elements) {
  state.counters["ns/element"] =
      benchmark::Counter(static_cast<double>(elements) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// The floor: every value is read once and added.
void read(benchmark::State& state) {
  const std::vector<float>& values = data(normal);
  for (auto _ : state) {
    float lanes[16] = {};
    for (std::size_t i = 0; i < values.size(); i += 16)
      for (std::size_t k = 0; k < 16; ++k) lanes[k] += values[i + k];
    benchmark::DoNotOptimize(lanes);
  }
  count_elements(state, stimuli * units);
}
BENCHMARK(read)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

/// All 21 of the activations and the three of the layer change, on one thread.
void layer(benchmark::State& state, Data kind, bool layer_change) {
  const ThreadLimit one_thread(1);
  const std::vector<float>& values = data(kind);
  const std::vector<double> s(units, 1.5);
  LayerShape shape;
  shape.units = units;
  shape.activation = Activation::relu;
  const LayerPlan plan(shape);
  for (auto _ : state) {
    LayerFold fold(plan, Key(0));
    if (layer_change) fold.set_layer_change(0, View::of(s));
    fold.add(View::of(values, stimuli));
    benchmark::DoNotOptimize(fold.row(0));
  }
  count_elements(state, stimuli * units);
}
BENCHMARK_CAPTURE(layer, normal, normal, false)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(layer, normal_and_change, normal, true)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(layer, relu_and_change, relu, true)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

/// The share of an imperfect cell: half the units, with and without noise.
void imperfect(benchmark::State& state, double noise) {
  const ThreadLimit one_thread(1);
  constexpr std::int64_t few = 32;
  const std::vector<float>& values = data(normal);
  LayerShape shape;
  shape.units = units;
  const LayerPlan plan(shape, {{.unit_fraction = 0.5, .noise = noise, .seed = 1}});
  for (auto _ : state) {
    LayerFold fold(plan, Key(0));
    fold.add(View::of(std::span(values).first(few * units), few));
    benchmark::DoNotOptimize(fold.row(0));
  }
  count_elements(state, few * units);
}
BENCHMARK_CAPTURE(imperfect, half, 0.0)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(imperfect, half_noisy, 0.1)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

void kernel(benchmark::State& state) {
  Scratch scratch;
  const auto values = std::span(data(normal)).first(1 << 20);
  for (auto _ : state) benchmark::DoNotOptimize(describe(values, scratch));
  count_elements(state, static_cast<std::int64_t>(values.size()));
}
BENCHMARK(kernel)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lrid::stats

BENCHMARK_MAIN();
