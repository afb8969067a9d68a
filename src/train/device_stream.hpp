#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

namespace lrid::train {

/// A stream of a GPU that nobody else has, for as long as the process lives. Where lrid was built without the
/// CUDA toolkit, one of LibTorch's 32, which it gives out in turn: steps are not recorded there.
c10::Stream make_device_stream(c10::Device device);

}  // namespace lrid::train
