// window_pass.hpp as a CUDA kernel.
#include <cuda_runtime.h>

#include "window_kernel.hpp"

namespace lrid::data::device {

namespace {

__global__ void __launch_bounds__(block_threads) window_kernel(WindowBatch batch) {
  write_windows(batch, blockIdx.x, blockIdx.y, threadIdx.x);
}

}  // namespace

bool has_window_kernel() {
  return true;
}

LaunchError launch_windows(const WindowBatch& batch, int device, void* stream) {
  if (batch.samples == 0) return {};  // CUDA takes no grid of nothing
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) {
    const dim3 grid(static_cast<unsigned>(batch.samples), blocks_of_window(batch));
    window_kernel<<<grid, block_threads, 0, static_cast<cudaStream_t>(stream)>>>(batch);
    error = cudaGetLastError();
  }
  return {error, cudaGetErrorString(error)};
}

}  // namespace lrid::data::device
