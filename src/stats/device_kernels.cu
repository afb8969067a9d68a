// device_pass.hpp's phases as CUDA kernels.
#include <cuda_runtime.h>

#include "device_kernels.hpp"

namespace lrid::stats::device {

namespace {

struct DeviceBlock {
  Shared& memory;

  /// A T that each thread keeps to itself.
  template <class T>
  struct PerThread {
    T value;
    __device__ T& operator[](int) { return value; }
  };
  template <class Phase>
  __device__ void each(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
  __device__ Shared& shared() const { return memory; }
  __device__ void add(std::uint32_t* count, std::uint32_t more) const { atomicAdd(count, more); }
};

__global__ void __launch_bounds__(block_threads) whole_kernel(Batch batch) {
  __shared__ Shared memory;
  DeviceBlock block{memory};
  whole_set(block, batch, blockIdx.x);
}

__global__ void __launch_bounds__(block_threads) pass_kernel(Batch batch, Chunk chunk, int round) {
  __shared__ Shared memory;
  DeviceBlock block{memory};
  pass_tile(block, batch, round, chunk.first_tile + blockIdx.x);
}

__global__ void __launch_bounds__(block_threads) end_kernel(Batch batch, Chunk chunk, int round) {
  __shared__ Shared memory;
  DeviceBlock block{memory};
  end_round(block, batch, round, chunk.first_set + blockIdx.x);
}

}  // namespace

void launch_whole_sets(const Batch& batch) {
  whole_kernel<<<batch.set_count, block_threads>>>(batch);
}

void launch_round(const Batch& batch, const Chunk& chunk, int round) {
  pass_kernel<<<chunk.tiles, block_threads>>>(batch, chunk, round);
  end_kernel<<<chunk.sets, block_threads>>>(batch, chunk, round);
}

}  // namespace lrid::stats::device
