#pragma once

namespace lrid::train {

struct Compute;

/// The arithmetic of matrix products and convolutions while one of these lives. Where a run trains in TF32
/// (compute.precision), training steps do, and everything else is exact: what is measured at a point must not
/// depend on how the network was trained. LibTorch has one setting a process, so jobs that need the other one
/// wait; with one job, none ever does. Other precisions: nothing to do.
class Arithmetic {
 public:
  enum class For { training, measuring };
  Arithmetic(const Compute& compute, For what);
  ~Arithmetic();
  Arithmetic(const Arithmetic&) = delete;
  Arithmetic& operator=(const Arithmetic&) = delete;

 private:
  bool shared_;  ///< whether anything was to be done
};

}  // namespace lrid::train
