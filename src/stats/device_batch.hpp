#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <lrid/stats/distribution.hpp>
#include <lrid/stats/view.hpp>

namespace lrid::stats {

/// Whether this program has kernels for CUDA devices.
bool has_device_kernels();

/// Numbers copied to a device; freed with the last owner.
std::shared_ptr<const double> copy_to_device(std::span<const double> values, const Device& device);

/// Statistics of many sets on one CUDA device with one batch of launches, whatever their number: the sums of
/// the host's algorithm (`describe`) in the device's own order of additions, so that results differ from the
/// host's by rounding only (with n in describe's bounds read as 264 + n/65536), order statistics not at all.
/// See device_pass.hpp. Launched on the device's default stream, behind what LibTorch has launched there.
class DeviceBatch {
 public:
  /// Rows of a view in float32, float16 or bfloat16, each of them a set of fewer than 2³² values. `s`: on the
  /// device, a number for each column, to be added up where the row's value is positive; or null.
  struct Rows {
    View view;
    std::shared_ptr<const double> s;
  };
  struct Result {
    Distribution statistics;
    double positive_s = 0;  ///< Σ s_j over the positive values
  };

  /// Launches and returns at once; later work on the default stream may change the data.
  explicit DeviceBatch(std::vector<Rows> rows);
  ~DeviceBatch();
  DeviceBatch(const DeviceBatch&) = delete;
  DeviceBatch& operator=(const DeviceBatch&) = delete;

  /// One for each row of each view, in order. Waits for the device. WorkError if it failed.
  [[nodiscard]] const std::vector<Result>& results();

 private:
  struct OnDevice;
  std::unique_ptr<OnDevice> on_device_;
  std::vector<Result> results_;
};

}  // namespace lrid::stats
