// In place of window_kernel.cu where there is no CUDA toolkit: batches are made on the host.
#include "window_kernel.hpp"

namespace lrid::data::device {

bool has_window_kernel() {
  return false;
}

LaunchError launch_windows(const WindowBatch& /*batch*/, int /*device*/, void* /*stream*/) {
  return {-1, "this program was built without kernels for CUDA (LRID_WITH_CUDA)"};
}

}  // namespace lrid::data::device
