#include "handle.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <hdf5.h>

#include <lrid/core/error.hpp>

namespace lrid::io::hdf5 {

static_assert(std::is_same_v<hid_t, std::int64_t>);

namespace {

std::recursive_mutex library_mutex;

}  // namespace

Handle::Handle(Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_(std::exchange(other.close_, nullptr)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

Handle::~Handle() {
  if (close_ == nullptr || id_ < 0) return;
  const Session session;
  close_(id_);
}

Handle type_handle(std::int64_t id) {
  return {id, H5Tclose};
}
Handle space_handle(std::int64_t id) {
  return {id, H5Sclose};
}
Handle properties_handle(std::int64_t id) {
  return {id, H5Pclose};
}
Handle attribute_handle(std::int64_t id) {
  return {id, H5Aclose};
}
Handle file_handle(std::int64_t id) {
  return {id, H5Fclose};
}

Session::Session() : lock_(library_mutex) {
  // At exit libhdf5 would close what it forgot to close after an error, and crash on a damaged file's
  // leavings. We close what we open.
  static const bool without_cleanup = H5dont_atexit() >= 0;
  static_cast<void>(without_cleanup);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string library_reason() {
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
        if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
        return 0;
      },
      &reason);
  std::ranges::replace(reason, '\n', ' ');
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

std::int64_t readable(std::int64_t result, const std::string& where, const std::string& what) {
  if (result < 0) bad_input("{}: cannot read {} ({})", where, what, library_reason());
  return result;
}

std::int64_t written(std::int64_t result, const std::string& where, const std::string& what) {
  if (result < 0) work_failed("{}: cannot write {} ({})", where, what, library_reason());
  return result;
}

}  // namespace lrid::io::hdf5
