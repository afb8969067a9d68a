#pragma once

namespace lrid {

/// While one lives, an interrupt ends the process at once. For calls that may block forever with nothing to
/// save, such as writing to a pipe that nobody reads.
class EndsAtOnce {
 public:
  EndsAtOnce();
  ~EndsAtOnce();
  EndsAtOnce(const EndsAtOnce&) = delete;
  EndsAtOnce& operator=(const EndsAtOnce&) = delete;
};

}  // namespace lrid
