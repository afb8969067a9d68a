#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace lrid {

/// Exit codes of every lrid command.
enum class ExitCode : int { done = 0, failed = 1, bad_input = 2, interrupted = 130 };

/// Bad usage or bad input (exit code 2). The message is one line that names the file or option, the fault,
/// and the expectation.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A failure while working on good input, such as a full disk or a lost device (exit code 1).
class WorkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An error that a GPU reported: its memory may be lost, and only a new process can use it again.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A request to stop by the user or the scheduler, thrown once any state is saved (exit code 130).
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
