// Recording as a CUDA graph (CUDA programming guide, "CUDA Graphs"), in terms of LibTorch's allocators and
// streams. Not at::cuda::CUDAGraph: after a recording that fails it leaves the allocators recording for ever.
#include <memory>
#include <mutex>

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>
#include <c10/util/ScopeExit.h>
#include <cuda_runtime_api.h>

#include <lrid/train/device_graph.hpp>

#include "device_stream.hpp"

namespace lrid::train {

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // or the next call, of whomever, reports it again
  throw c10::AcceleratorError({what, __FILE__, __LINE__}, error,
                              c10::str("CUDA error: ", cudaGetErrorString(error), ", in ", what));
}

/// Where the graphs of one network have their memory. They run one after the other, so each may use what
/// those before it have freed.
struct Pool {
  c10::DeviceIndex device;
  c10::MempoolId_t id = at::cuda::graph_pool_handle();

  /// Takes allocations of the stream, on the device and of pinned memory.
  void begin(const c10::cuda::CUDAStream& stream) const {
    allocator::beginAllocateToPool(device, id,
                                   [own = stream.stream()](cudaStream_t of) { return of == own; });
    host().begin_allocate_to_pool(id, [own = stream.unwrap()](c10::Stream of) { return of == own; });
  }
  void end() const {
    allocator::endAllocateToPool(device, id);
    host().end_allocate_to_pool(id);
  }
  /// Once for each begin(), after end().
  void release() const {
    allocator::releasePool(device, id);
    host().release_pool(id);
  }

 private:
  static at::HostAllocator& host() { return *at::getHostAllocator(at::kCUDA); }
};

class CudaGraph final : public DeviceGraph {
 public:
  explicit CudaGraph(std::shared_ptr<const Pool> pool) : pool_(std::move(pool)) {}
  ~CudaGraph() override {
    if (executable_ == nullptr) return;
    try {
      cudaGraphExecDestroy(executable_);
      pool_->release();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
      // The device has failed; the next call to it says so.
    }
  }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void record(const std::function<void()>& work) override {
    // One at a time: LibTorch's allocators, which all jobs share, must be done with one recording to give
    // memory back.
    static std::mutex recording;
    const std::lock_guard lock(recording);
    // The steps so far have left as much memory in the stream's cache as the recording needs in its own.
    allocator::emptyCache();

    const c10::cuda::CUDAStream stream = c10::cuda::getCurrentCUDAStream(pool_->device);
    pool_->begin(stream);
    auto release = c10::make_scope_exit([&] { pool_->release(); });
    cudaGraph_t graph = nullptr;
    const auto destroy = c10::make_scope_exit([&] {
      if (graph != nullptr) cudaGraphDestroy(graph);
    });
    {
      const auto end = c10::make_scope_exit([&] { pool_->end(); });
      // Calls that are not allowed meanwhile are those of this thread: other jobs go on, and batches are
      // made.
      check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
      auto abandon = c10::make_scope_exit([&] {
        cudaStreamEndCapture(stream, &graph);  // says again that recording failed
        cudaGetLastError();
      });
      work();
      abandon.release();
      check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    }
    check(cudaGraphInstantiate(&executable_, graph, 0), "cudaGraphInstantiate");
    release.release();
  }
  void replay() override {
    check(cudaGraphLaunch(executable_, c10::cuda::getCurrentCUDAStream(pool_->device)), "cudaGraphLaunch");
  }

 private:
  std::shared_ptr<const Pool> pool_;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace

MakeDeviceGraph device_graphs(c10::Device device) {
  if (!device.is_cuda()) return {};
  const c10::DeviceIndex index = device.has_index() ? device.index() : c10::cuda::current_device();
  return [pool = std::make_shared<const Pool>(Pool{index})] { return std::make_unique<CudaGraph>(pool); };
}

c10::Stream make_device_stream(c10::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  check(cudaSetDevice(c10::cuda::current_device()), "cudaSetDevice");  // of this library's CUDA runtime
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return c10::cuda::getStreamFromExternal(stream, c10::cuda::current_device()).unwrap();
}

}  // namespace lrid::train
