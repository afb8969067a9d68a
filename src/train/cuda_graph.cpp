// Recording as a CUDA graph (CUDA programming guide, "CUDA Graphs"), in terms of LibTorch's allocator and
// streams.
#include <ATen/cuda/CUDAGraph.h>
#include <spdlog/spdlog.h>

#include <lrid/train/device_graph.hpp>

namespace lrid::train {

namespace {

class CudaGraph final : public DeviceGraph {
 public:
  void record(const std::function<void()>& work) override {
    // Calls that are not allowed meanwhile are those of this thread: other jobs go on, and batches are made.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();
      } catch (const std::exception& error) {  // says again that recording failed
        spdlog::debug("end of a failed recording: {}", error.what());
      }
      throw;
    }
    graph_.capture_end();
  }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

}  // namespace

MakeDeviceGraph device_graphs(c10::Device device) {
  if (!device.is_cuda()) return {};
  return [] { return std::make_unique<CudaGraph>(); };
}

}  // namespace lrid::train
