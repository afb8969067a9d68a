// The statistics engine against a plain read of the same data, on one core: 512 stimuli of 32,768 units (the
// first layer of a KNet), as normal values and behind a ReLU; a grid of imperfect measurements; a kernel of a
// million entries. And on all cores, for stats.py to compare with PyTorch. The counter "ns/element" is what
// to compare. bench_stats --benchmark_min_time=1
//
// On an NVIDIA GPU, in programs built with the CUDA toolkit, also 128 stimuli of 802,816 units (ResNet-18's
// first layer) and a large kernel there, with the host's part, medians of several runs: bench_stats
// --benchmark_filter=device. GB/s are those of reading the data once, beside a copy's on the device.
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#ifdef LRID_BENCH_CUDA
#include <memory>
#include <string>

#include <cuda_runtime.h>
#include <fmt/format.h>
#endif

#include <lrid/core/random.hpp>
#include <lrid/stats/distribution.hpp>
#include <lrid/stats/layer_fold.hpp>
#ifdef LRID_BENCH_CUDA
#include "timing.hpp"
#endif

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

#ifdef LRID_BENCH_CUDA

constexpr std::int64_t device_stimuli = 128, device_units = 802816, device_weights = 1 << 26;
constexpr int device_rounds = 9;

/// Memory on the first GPU, or null.
class OnDevice {
 public:
  explicit OnDevice(std::size_t bytes) {
    if (cudaMalloc(&data_, bytes) != cudaSuccess) data_ = nullptr;
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  [[nodiscard]] void* get() const { return data_; }

 private:
  void* data_ = nullptr;
};

/// So many of `data(kind)`, again and again; null without a GPU.
std::unique_ptr<OnDevice> on_device(Data kind, std::size_t count) {
  const std::vector<float>& values = data(kind);
  auto there = std::make_unique<OnDevice>(count * sizeof(float));
  if (there->get() == nullptr) return nullptr;
  for (std::size_t begin = 0; begin < count; begin += values.size()) {
    const std::size_t some = std::min(values.size(), count - begin);
    if (cudaMemcpy(static_cast<float*>(there->get()) + begin, values.data(), some * sizeof(float),
                   cudaMemcpyHostToDevice) != cudaSuccess)
      return nullptr;
  }
  return there;
}

/// Times `work` on the device, `device_rounds` times after one that is not counted, and waits for its end.
/// Seconds, the median; 0 where something failed.
template <class Work>
double timed(benchmark::State& state, const Work& work) {
  std::vector<double> seconds;
  const auto once = [&] {
    return seconds_of([&] {
      work();
      cudaDeviceSynchronize();
    });
  };
  once();
  for (auto _ : state) {
    seconds.push_back(once());
    state.SetIterationTime(seconds.back());
  }
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) {
    state.SkipWithError(cudaGetErrorString(error));
    return 0;
  }
  return median(seconds);
}

/// Bytes a second that a copy on the device reads and writes, once it was measured.
double copy_bandwidth = 0;

/// What `seconds` of work on so many elements is; `moved`: bytes that it reads or writes.
void label(benchmark::State& state, std::int64_t elements, double moved, double seconds) {
  if (seconds == 0) return;
  std::string text = fmt::format("{:.5f} ns/element, {:.0f} GB/s",
                                 1e9 * seconds / static_cast<double>(elements), 1e-9 * moved / seconds);
  if (copy_bandwidth > 0) text += fmt::format(", {:.3f} of a copy's", moved / seconds / copy_bandwidth);
  state.SetLabel(text);
}

void device_copy(benchmark::State& state) {
  constexpr std::size_t count = device_stimuli * device_units;
  const std::unique_ptr<OnDevice> from = on_device(normal, count);
  const OnDevice to(count * sizeof(float));
  if (!from || to.get() == nullptr) return state.SkipWithError("no CUDA device with memory here");
  const double seconds = timed(state, [&] {
    cudaMemcpyAsync(to.get(), from->get(), count * sizeof(float), cudaMemcpyDeviceToDevice, nullptr);
  });
  constexpr double moved = 2.0 * count * sizeof(float);
  if (seconds > 0) copy_bandwidth = moved / seconds;
  label(state, count, moved, seconds);
}

/// All 21 of activations, behind a ReLU with the three of the layer change as well, or the seven of a kernel.
void device_layer(benchmark::State& state, Data kind, bool layer_change, std::int64_t rows,
                  std::int64_t columns) {
  const std::unique_ptr<OnDevice> there = on_device(kind, static_cast<std::size_t>(rows * columns));
  if (!there) return state.SkipWithError("no CUDA device with memory here");
  const bool weights = rows == 1;
  LayerShape shape;
  shape.units = columns;
  shape.weights = columns;
  shape.activation = Activation::relu;
  const LayerPlan plan(shape);
  const std::vector<double> s(static_cast<std::size_t>(columns), 1.5);
  const View view{there->get(), ElementType::f32, rows, columns, columns, {Device::Kind::cuda, 0}};
  {
    const LayerFold fold(plan, Key(0));
    if (!fold.takes(view)) return state.SkipWithError("built without kernels for CUDA");
  }
  const double seconds = timed(state, [&] {
    LayerFold fold(plan, Key(0));
    if (layer_change) fold.set_layer_change(0, View::of(s));
    LayerFold::measure_on_device(std::vector<LayerFold::Data>{{&fold, view, weights}});
    benchmark::DoNotOptimize(fold.row(0));
  });
  label(state, rows * columns, static_cast<double>(rows * columns) * sizeof(float), seconds);
}

BENCHMARK(device_copy)->Iterations(device_rounds)->UseManualTime()->Unit(benchmark::kMillisecond);
#define LRID_ON_DEVICE(name, ...)                    \
  BENCHMARK_CAPTURE(device_layer, name, __VA_ARGS__) \
      ->Iterations(device_rounds)                    \
      ->UseManualTime()                              \
      ->Unit(benchmark::kMillisecond)
LRID_ON_DEVICE(normal, normal, false, device_stimuli, device_units);
LRID_ON_DEVICE(relu, relu, false, device_stimuli, device_units);
LRID_ON_DEVICE(relu_and_change, relu, true, device_stimuli, device_units);
LRID_ON_DEVICE(weights, normal, false, 1, device_weights);

#endif

}  // namespace
}  // namespace lrid::stats

BENCHMARK_MAIN();
