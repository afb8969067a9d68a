#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace lrid::data {

/// Makes results of consecutive steps on threads of its own before they are asked for. `make` is a pure
/// function of the step, so that neither threads nor the order of asking change anything; asking for another
/// step than the next (after a resume) starts over from there.
template <class Result>
class Prefetcher {
 public:
  using Make = std::function<Result(std::int64_t step)>;

  /// At most `depth` results wait. `make` is called from several threads at once.
  Prefetcher(Make make, int threads, std::int64_t depth) : make_(std::move(make)), depth_(depth) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  ~Prefetcher() {
    for (std::jthread& thread : threads_) thread.request_stop();
    changed_.notify_all();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The result of `step`; rethrows what `make` threw. To be called from one thread.
  Result take(std::int64_t step) {
    std::unique_lock lock(mutex_);
    if (step != wanted_) {
      made_.clear();
      wanted_ = next_ = step;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return made_.contains(step); });
    Made made = std::move(made_.extract(step).mapped());
    wanted_ = step + 1;
    changed_.notify_all();
    if (made.error) std::rethrow_exception(made.error);
    return std::move(*made.result);
  }

 private:
  struct Made {
    std::optional<Result> result;
    std::exception_ptr error;
  };

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto room = [&] { return wanted_ >= 0 && next_ < wanted_ + depth_; };
    while (changed_.wait(lock, stop, room) && !stop.stop_requested()) {
      const std::int64_t step = next_++;
      lock.unlock();
      Made made;
      try {
        made.result = make_(step);
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      if (step < wanted_ || step >= wanted_ + depth_) continue;  // begun before a jump elsewhere
      made_.insert_or_assign(step, std::move(made));
      changed_.notify_all();
    }
  }

  Make make_;
  std::int64_t depth_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::int64_t, Made> made_;
  std::int64_t wanted_ = -1, next_ = 0;  // asked for next (none yet), to be made next
  std::vector<std::jthread> threads_;    // last: the threads end before what they use
};

}  // namespace lrid::data
