#include <array>
#include <condition_variable>
#include <mutex>

#include <ATen/Context.h>

#include <lrid/train/arithmetic.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

namespace {

/// LibTorch's setting and who relies on it.
class Setting {
 public:
  void enter(bool tf32) {
    std::unique_lock lock(mutex_);
    ++waiting_.at(tf32 ? 1 : 0);
    // Those who come later do not keep others waiting for ever.
    changed_.wait(lock, [&] { return users_ == 0 || (tf32 == tf32_ && waiting_.at(tf32 ? 0 : 1) == 0); });
    --waiting_.at(tf32 ? 1 : 0);
    ++users_;
    tf32_ = tf32;
    at::globalContext().setAllowTF32CuBLAS(tf32);
    at::globalContext().setAllowTF32CuDNN(tf32);
    changed_.notify_all();
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --users_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool tf32_ = false;
  int users_ = 0;
  std::array<int, 2> waiting_{};
};

Setting& setting() {
  static Setting one;
  return one;
}

}  // namespace

Arithmetic::Arithmetic(const Compute& compute, For what) : shared_(compute.precision == "tf32") {
  if (shared_) setting().enter(what == For::training);
}

Arithmetic::~Arithmetic() {
  if (shared_) setting().leave();
}

}  // namespace lrid::train
