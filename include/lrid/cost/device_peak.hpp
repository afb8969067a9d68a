#pragma once

#include <lrid/train/run_config.hpp>

namespace lrid::cost {

/// What a device does at its best, as measured on it: what large products and large copies reach.
struct DevicePeak {
  double flops = 0;  ///< a second, of a product of large matrices in the run's precision
  double bytes = 0;  ///< a second, read and written, of a copy too large for any cache
};

/// Measures it on the device that `compute` names, with its precision and, on a processor, its threads: about
/// a second. The best of several repeats.
DevicePeak measure_peak(const train::Compute& compute);

}  // namespace lrid::cost
