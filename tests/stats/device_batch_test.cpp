// CUDA kernels against the host's engine. Skipped where the program has none or there is no GPU. Memory and
// races:
//
//     compute-sanitizer --tool memcheck build/tests/test_device      # also racecheck, initcheck
#include "stats/device_batch.hpp"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <lrid/stats/layer_fold.hpp>

namespace lrid::stats {
namespace {

class DeviceBatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) GTEST_SKIP() << "no CUDA device here";
  }

  /// Copies them; the device's memory lives as long as the test.
  View on_device(const void* data, std::size_t bytes, View view) {
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, bytes), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(memory, data, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    owned_.emplace_back(memory, cudaFree);
    view.data = memory;
    view.device = {Device::Kind::cuda, 0};
    return view;
  }

 private:
  std::vector<std::unique_ptr<void, cudaError_t (*)(void*)>> owned_;
};

std::vector<float> drawn(std::size_t n, float mean) {
  std::mt19937_64 bits(n);
  std::normal_distribution<float> normal(mean, 1);
  std::vector<float> values(n);
  for (float& v : values) v = std::max(-0.5F, normal(bits));
  return values;
}

void expect_near(const ObservableRow& found, const ObservableRow& expected) {
  for (std::size_t k = 0; k < found.size(); ++k) {
    const Observable& o = observables()[k];
    const double a = found[k], b = expected[k];
    if (std::isnan(b))
      EXPECT_TRUE(std::isnan(a)) << o.name;
    else  // stimuli are added up in the same order on both: order statistics agree to the last bit
      EXPECT_NEAR(a, b,
                  o.statistic == Statistic::median || o.statistic == Statistic::third_quartile
                      ? 0
                      : 1e-12 * (1 + std::abs(b)))
          << o.name;
  }
}

TEST_F(DeviceBatchTest, IsTheHostsEngineUpToRounding) {
  for (const std::int64_t units : {1, 255, 4096, 70001})
    for (const float mean : {0.F, 1000.F}) {
      const std::int64_t stimuli = 7;
      const std::vector<float> values = drawn(static_cast<std::size_t>(stimuli * units), mean);
      std::vector<double> s(static_cast<std::size_t>(units));
      for (std::size_t i = 0; i < s.size(); ++i) s[i] = std::sin(static_cast<double>(i));
      const LayerPlan plan({.units = units, .weights = stimuli * units, .activation = Activation::relu});
      LayerFold host(plan, Key(1)), device(plan, Key(1));
      const View view = View::of(std::span<const float>(values), stimuli),
                 kernel = View::of(std::span<const float>(values));
      for (LayerFold* fold : {&host, &device})
        fold->set_layer_change(0, View::of(std::span<const double>(s)));
      host.set_weights(kernel);
      host.add(view);
      const std::size_t bytes = values.size() * sizeof(float);
      const View there = on_device(values.data(), bytes, view);
      View first = there, second = there;
      first.rows = 3;
      second.rows = stimuli - 3;
      second.data = static_cast<const float*>(there.data) + 3 * units;
      LayerFold::measure_on_device(
          std::vector<LayerFold::Data>{{&device, on_device(values.data(), bytes, kernel), true},
                                       {&device, first, false},
                                       {&device, second, false}});
      ASSERT_EQ(device.stimuli(), stimuli);
      expect_near(device.row(0), host.row(0));
    }
}

TEST_F(DeviceBatchTest, WantOfMemoryLeavesNoErrorBehind) {
  const double value = 1;
  // More than any device has; never read.
  EXPECT_THROW(copy_to_device(std::span(&value, std::size_t{1} << 44), {Device::Kind::cuda, 0}),
               DeviceOutOfMemory);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_NO_THROW(copy_to_device(std::span(&value, 1), {Device::Kind::cuda, 0}));
}

TEST_F(DeviceBatchTest, TypesOf16Bits) {
  std::vector<std::uint16_t> bits(50000);
  std::mt19937_64 random(3);
  for (std::uint16_t& b : bits) b = static_cast<std::uint16_t>(random() & 0xBBFFU);  // no infinities, no NaN
  for (const ElementType type : {ElementType::f16, ElementType::bf16}) {
    const std::int64_t units = 10000;
    const LayerPlan plan({.units = units});
    LayerFold host(plan, Key(1)), device(plan, Key(1));
    const View view{bits.data(), type, 5, units, units, {}};
    host.add(view);
    device.add(on_device(bits.data(), bits.size() * 2, view));
    expect_near(device.row(0), host.row(0));
  }
}

}  // namespace
}  // namespace lrid::stats
