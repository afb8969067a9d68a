#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace lrid::data {

/// Makes the results of consecutive steps in the background before they are asked for. `make` is a pure
/// function of the step, called from several threads at once, so neither threads nor the order of asking
/// change anything; asking for another step than the next (after a resume) starts over from there.
template <class Result>
class Prefetcher {
 public:
  using Make = std::function<Result(std::int64_t step)>;

  /// Keeps `depth` results ahead of the step last taken.
  Prefetcher(Make make, std::int64_t depth) : make_(std::move(make)), depth_(depth) {}

  /// The result of `step`; rethrows what `make` threw. Call it from one thread.
  Result take(std::int64_t step) {
    if (step != next_ - std::ssize(ahead_)) {
      ahead_.clear();  // waits for those under way
      next_ = step;
    }
    for (; std::ssize(ahead_) <= depth_; ++next_)
      ahead_.push_back(std::async(std::launch::async, make_, next_));
    std::future<Result> first = std::move(ahead_.front());
    ahead_.pop_front();
    return first.get();
  }

 private:
  Make make_;
  std::int64_t depth_;
  std::int64_t next_ = -1;  ///< the first step that is not under way
  std::deque<std::future<Result>> ahead_;
};

}  // namespace lrid::data
