// The batches that a CUDA device works on, in terms of CUDA's runtime library.
#include "device_batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <cuda_runtime.h>

#include <lrid/core/error.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "device_kernels.hpp"

namespace lrid::stats {

namespace {

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // or the next launch that is checked reports it again
  const std::string text =
      fmt::format("statistics on a CUDA device: {} failed ({})", what, cudaGetErrorString(error));
  if (error == cudaErrorMemoryAllocation) throw DeviceOutOfMemory(text);
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

/// Has the device's memory pool keep what is freed, up to what a batch needs: by default it gives all of it
/// back whenever the host waits, and asks for it again.
void keep_freed_memory(int index) {
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, index), "cudaDeviceGetDefaultMemPool");
  std::uint64_t most = 64 << 20;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &most), "cudaMemPoolSetAttribute");
}

/// Memory on the current device, released in the order of the default stream.
template <class T>
std::shared_ptr<T> allocate(std::size_t count) {
  void* memory = nullptr;
  check(cudaMallocAsync(&memory, count * sizeof(T), nullptr), "cudaMallocAsync");
  int index = 0;
  check(cudaGetDevice(&index), "cudaGetDevice");
  return {static_cast<T*>(memory), [index](T* p) noexcept {
            // After an error of the device these fail, too, and the memory goes with the process.
            int before = 0;
            if (cudaGetDevice(&before) != cudaSuccess || cudaSetDevice(index) != cudaSuccess) return;
            cudaFreeAsync(p, nullptr);
            cudaSetDevice(before);
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
  for (const Rows& list : on.rows) {
    const std::int64_t bytes = list.view.type == ElementType::f32 ? 4 : 2;
    for (std::int64_t row = 0; row < list.view.rows; ++row) {
      device::Set& set = on.set_list.emplace_back();
      set.data = static_cast<const char*>(list.view.data) + row * list.view.row_stride * bytes;
      set.type = list.view.type;
      set.n = static_cast<std::uint32_t>(list.view.columns);
      set.s = list.s.get();
      on.state_list.push_back(device::initial_state(set));
    }
  }
  if (on.set_list.empty()) return;
  const std::vector<device::Chunk> chunks = device::make_chunks(on.set_list);

  const CurrentDevice current(on.device.index);
  keep_freed_memory(on.device.index);
  const std::size_t count = on.set_list.size();
  std::size_t tiles = 0, histograms = 0;
  for (const device::Chunk& chunk : chunks) tiles += chunk.tiles;
  for (const device::Set& set : on.set_list)
    if (!device::is_whole(set)) histograms = std::max<std::size_t>(histograms, set.histogram + 1);
  const std::size_t bins = histograms * device::searches * device::bins;
  on.sets = allocate<device::Set>(count);
  on.states = allocate<device::State>(count);
  if (!chunks.empty()) {
    on.partials = allocate<device::Partial>(tiles);
    on.histograms = allocate<std::uint32_t>(bins);
    check(cudaMemsetAsync(on.histograms.get(), 0, bins * sizeof(std::uint32_t), nullptr), "cudaMemsetAsync");
  }
  const auto upload = [](void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, nullptr), "a copy to it");
  };
  upload(on.sets.get(), on.set_list.data(), count * sizeof(device::Set));
  upload(on.states.get(), on.state_list.data(), count * sizeof(device::State));
  const device::Batch batch{on.sets.get(), on.states.get(), on.partials.get(), on.histograms.get(),
                            static_cast<std::uint32_t>(count)};
  if (std::ranges::any_of(on.set_list, device::is_whole)) device::launch_whole_sets(batch);
  for (const device::Chunk& chunk : chunks)
    for (int round = 0; round < device::rounds; ++round) device::launch_round(batch, chunk, round);
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
