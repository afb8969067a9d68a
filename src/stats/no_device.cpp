// In place of device_batch.cpp where there is no CUDA toolkit.
#include <lrid/core/error.hpp>

#include "device_batch.hpp"

namespace lrid::stats {

namespace {

[[noreturn]] void fail() {
  work_failed("statistics on a CUDA device: this program was built without kernels for it (LRID_WITH_CUDA)");
}

}  // namespace

struct DeviceBatch::OnDevice {};

bool has_device_kernels() {
  return false;
}
std::shared_ptr<const double> copy_to_device(std::span<const double>, const Device&) {
  fail();
}
// NOLINTNEXTLINE(performance-unnecessary-value-param): the other one keeps them
DeviceBatch::DeviceBatch(std::vector<Rows>) {
  fail();
}
DeviceBatch::~DeviceBatch() = default;
const std::vector<DeviceBatch::Result>& DeviceBatch::results() {
  fail();
}

}  // namespace lrid::stats
