#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <lrid/core/parallel.hpp>

namespace lrid::data {

/// body(0) … body(count−1) on up to `threads` of oneTBB's threads, in any order. If some throw, rethrows the
/// exception of the smallest index, as if they had run one after the other.
template <class Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
  std::atomic<std::int64_t> failed{count};
  std::exception_ptr error;
  std::mutex mutex;
  tbb::task_arena arena(threads);
  LoopOrder order;
  arena.execute([&] {
    tbb::parallel_for(std::int64_t{0}, count, [&](std::int64_t i) {
      const LoopOrder::Task task(order);
      if (i > failed) return;
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          error = std::current_exception();
        }
      }
    });
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace lrid::data
