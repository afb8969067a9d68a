#pragma once

#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// Peak of a device, measured with large matrix products and large copies.
struct DevicePeak {
  double flops = 0;  ///< a second, of a product of large matrices in the run's precision
  double bytes = 0;  ///< a second, read and written, of a copy too large for any cache
};

/// Measures the device that `compute` names, with its precision and, on a processor, its threads, for about a
/// second. Returns the best of several repeats.
DevicePeak measure_peak(const train::Compute& compute);

}  // namespace lrid::cost
