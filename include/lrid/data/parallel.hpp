#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lrid::data {

/// body(0) … body(count−1) on `threads` threads, in any order. If some throw, the exception of the smallest
/// index is rethrown, as if they had run one after the other.
template <class Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
  std::atomic<std::int64_t> next{0}, failed{count};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    // Indices are handed out in order, so all below a failed one are already being worked on.
    for (std::int64_t i = next++; i < failed; i = next++) try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          error = std::current_exception();
        }
      }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::int64_t t = 1; t < std::min<std::int64_t>(threads, count); ++t) helpers.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace lrid::data
