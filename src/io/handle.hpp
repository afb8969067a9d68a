#pragma once

#include <cstdint>
#include <mutex>
#include <string>

/// Holding on to objects of the HDF5 C library, and the reasons it gives for failing.
namespace lrid::io::hdf5 {

/// An open HDF5 object, closed by its owner.
class Handle {
 public:
  using Close = int (*)(std::int64_t);
  Handle() = default;
  Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();
  [[nodiscard]] std::int64_t id() const { return id_; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

Handle type_handle(std::int64_t id);
Handle space_handle(std::int64_t id);
Handle properties_handle(std::int64_t id);
Handle attribute_handle(std::int64_t id);
Handle file_handle(std::int64_t id);

/// Held around every call of the C library, which is not thread-safe in every build. Switches off the
/// library's own messages, a setting of each thread.
class Session {
 public:
  Session();

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

/// Returns `result`; InputError "WHERE: cannot read WHAT (reason)" if it says that a call failed.
std::int64_t readable(std::int64_t result, const std::string& where, const std::string& what);
/// The same for writing: WorkError.
std::int64_t written(std::int64_t result, const std::string& where, const std::string& what);

/// The innermost entry of HDF5's error stack, in one line.
std::string library_reason();

}  // namespace lrid::io::hdf5
