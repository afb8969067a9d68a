// The statistics engine against a plain read of the same data, on one core: 512 stimuli of 32,768 units (the
// first layer of a KNet), as normal values and behind a ReLU; a grid of imperfect measurements; a kernel of a
// million entries. And on all cores, for stats.py to compare with PyTorch. The counter "ns/element" is what
// to compare. bench_stats --benchmark_min_time=1
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

/// Lower bound: every value is read once and added.
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

/// A grid of imperfect measurements, with the layer change: what it costs beside the perfect measurement
/// alone.
void grid(benchmark::State& state, const std::vector<double>& fractions, const std::vector<double>& noises) {
  const ThreadLimit one_thread(1);
  constexpr std::int64_t few = 128;
  std::vector<Imperfection> measurements;
  for (const double fraction : fractions)
    for (const double noise : noises) measurements.push_back({fraction, noise, 1});
  const std::vector<float>& values = data(relu);
  const std::vector<double> s(units, 1.5);
  LayerShape shape;
  shape.units = units;
  shape.inputs = 100;
  shape.activation = Activation::relu;
  shape.unit_order = UnitOrder::channels_last(32, 1024);
  const LayerPlan plan(shape, measurements);
  for (auto _ : state) {
    LayerFold fold(plan, Key(0));
    for (std::size_t measurement = 0; measurement < measurements.size(); ++measurement)
      fold.set_layer_change(measurement, View::of(s));
    fold.add(View::of(std::span(values).first(few * units), few));
    benchmark::DoNotOptimize(fold.row(0));
  }
  count_elements(state, few * units);
}
BENCHMARK_CAPTURE(grid, 1x1, {1}, {0})->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(grid, 3x1, {1, 0.3, 0.1}, {0})->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(grid, 3x3, {1, 0.3, 0.1}, {0, 0.01, 0.1})
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

/// Normal values on all threads, as stats.py compares them with PyTorch.
void all_threads(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  const std::vector<float>& some = data(normal);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = some[i % (some.size() - 1)];
  LayerShape shape;
  shape.units = columns;
  const LayerPlan plan(shape);
  for (auto _ : state) {
    LayerFold fold(plan, Key(0));
    fold.add(View::of(values, rows));
    benchmark::DoNotOptimize(fold.row(0));
  }
  count_elements(state, rows * columns);
}
BENCHMARK(all_threads)->Args({512, 32768})->Args({64, 802816})->UseRealTime()->Unit(benchmark::kMillisecond);

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
