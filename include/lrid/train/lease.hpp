#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace lrid::train {

/// How far a run has got.
struct RunProgress {
  std::int64_t step = 0, steps = 0;  ///< made, of the whole run
  std::int64_t first_step = 0;       ///< where this process took it up
  double seconds = 0;                ///< since then
  std::string device;                ///< "cpu", "cuda:1"
};

/// Another process holds what was ours.
class LeaseLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The right to train one network and to write its files. Released when the object goes.
class Lease {
 public:
  virtual ~Lease() = default;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Throws LeaseLost unless it is still ours: called before every write of the run's files.
  virtual void require() const = 0;
  /// Tells others how far the run has got.
  virtual void report(const RunProgress& progress) const = 0;

 protected:
  Lease() = default;
};

}  // namespace lrid::train
