// The batches that a CUDA device works on, in terms of CUDA's runtime library.
#include "device_batch.hpp"

#include <stdexcept>
#include <string>

#include <cuda_runtime.h>

#include <lrid/core/error.hpp>

#include "device_kernels.hpp"

namespace lrid::stats {

namespace {

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  const std::string text =
      fmt::format("statistics on a CUDA device: {} failed ({})", what, cudaGetErrorString(error));
  if (error == cudaErrorMemoryAllocation)
    throw std::runtime_error(text);  // with less beside it, it may succeed
  throw DeviceError(text);
}

/// The calling thread's device, for as long as one of these lives.
class CurrentDevice {
 public:
  explicit CurrentDevice(int index) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    check(cudaSetDevice(index), "cudaSetDevice");
  }
  ~CurrentDevice() { cudaSetDevice(before_); }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = 0;
};

/// Memory on the current device, released in the order of the default stream.
template <class T>
std::shared_ptr<T> allocate(std::size_t count) {
  void* memory = nullptr;
  check(cudaMallocAsync(&memory, count * sizeof(T), nullptr), "cudaMallocAsync");
  int index = 0;
  check(cudaGetDevice(&index), "cudaGetDevice");
  return {static_cast<T*>(memory), [index](T* p) {
            const CurrentDevice device(index);
            cudaFreeAsync(const_cast<void*>(static_cast<const void*>(p)), nullptr);
          }};
}

}  // namespace

bool has_device_kernels() {
  return true;
}

std::shared_ptr<const double> copy_to_device(std::span<const double> values, const Device& device) {
  const CurrentDevice current(device.index);
  const std::shared_ptr<double> copy = allocate<double>(values.size());
  check(cudaMemcpyAsync(copy.get(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice, nullptr),
        "a copy to it");
  return copy;
}

struct DeviceBatch::OnDevice {
  Device device;
  std::vector<Rows> rows;  // keeps every s
  std::vector<device::Set> set_list;
  std::vector<device::State> state_list;
  std::shared_ptr<device::Set> sets;
  std::shared_ptr<device::State> states;
  std::shared_ptr<device::Partial> partials;
  std::shared_ptr<std::uint32_t> histograms;
};

DeviceBatch::DeviceBatch(std::vector<Rows> rows) : on_device_(std::make_unique<OnDevice>()) {
  OnDevice& on = *on_device_;
  on.rows = std::move(rows);
  if (on.rows.empty()) return;
  on.device = on.rows.front().view.device;
  std::uint32_t tiles = 0;
  for (const Rows& list : on.rows) {
    const std::int64_t bytes = list.view.type == ElementType::f32 ? 4 : 2;
    for (std::int64_t row = 0; row < list.view.rows; ++row) {
      device::Set& set = on.set_list.emplace_back();
      set.data = static_cast<const char*>(list.view.data) + row * list.view.row_stride * bytes;
      set.type = list.view.type;
      set.n = static_cast<std::uint32_t>(list.view.columns);
      set.first_tile = tiles;
      set.s = list.s.get();
      on.state_list.push_back(device::initial_state(set));
      tiles += device::tiles_of(set.n);
    }
  }
  if (tiles == 0) return;

  const CurrentDevice current(on.device.index);
  const std::size_t count = on.set_list.size(), bins = count * device::searches * device::bins;
  on.sets = allocate<device::Set>(count);
  on.states = allocate<device::State>(count);
  on.partials = allocate<device::Partial>(tiles);
  on.histograms = allocate<std::uint32_t>(bins);
  const auto upload = [](void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, nullptr), "a copy to it");
  };
  upload(on.sets.get(), on.set_list.data(), count * sizeof(device::Set));
  upload(on.states.get(), on.state_list.data(), count * sizeof(device::State));
  check(cudaMemsetAsync(on.histograms.get(), 0, bins * sizeof(std::uint32_t), nullptr), "cudaMemsetAsync");
  const device::Batch batch{on.sets.get(),
                            on.states.get(),
                            on.partials.get(),
                            on.histograms.get(),
                            static_cast<std::uint32_t>(count),
                            tiles};
  for (int round = 0; round < device::rounds; ++round) device::launch_round(batch, round);
  check(cudaGetLastError(), "a launch");
}

DeviceBatch::~DeviceBatch() = default;

const std::vector<DeviceBatch::Result>& DeviceBatch::results() {
  if (!on_device_) return results_;
  OnDevice& on = *on_device_;
  if (on.states) {
    const CurrentDevice current(on.device.index);
    check(cudaMemcpy(on.state_list.data(), on.states.get(), on.state_list.size() * sizeof(device::State),
                     cudaMemcpyDeviceToHost),
          "its work");
  }
  for (const device::State& state : on.state_list)
    results_.push_back({distribution_of(state.sums), state.change});
  on_device_.reset();
  return results_;
}

}  // namespace lrid::stats
