#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace lrid {

/// Process exit codes, the same for every lrid command.
enum class ExitCode : int { done = 0, failed = 1, bad_input = 2, interrupted = 130 };

/// Bad usage or bad input (exit code 2). The message is one line that names the file or option, says what
/// is wrong, and what was expected.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something failed while working on good input: a full disk, a device that went away (exit code 1).
class WorkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A GPU reported an error: what it was given may be lost, and only a new process can use it again.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user or the scheduler asked to stop; state has been written where there is any (exit code 130).
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// Throws InputError with a formatted message: `bad_input("{}: no such file", path)`.
template <class... Args>
[[noreturn]] void bad_input(fmt::format_string<Args...> format, Args&&... args) {
  throw InputError(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws WorkError with a formatted message.
template <class... Args>
[[noreturn]] void work_failed(fmt::format_string<Args...> format, Args&&... args) {
  throw WorkError(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lrid
