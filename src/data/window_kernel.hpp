#pragma once

#include "window_pass.hpp"

namespace lrid::data::device {

/// Whether this program has the kernel.
bool has_window_kernel();

/// An error of CUDA's runtime library: its number and what it means; 0: none.
struct LaunchError {
  int code = 0;
  const char* text = "";
};

/// Launches write_windows for all threads on `stream`, a cudaStream_t of device number `device`, which
/// becomes the calling thread's current one.
LaunchError launch_windows(const WindowBatch& batch, int device, void* stream);

}  // namespace lrid::data::device
