#pragma once

#include <cstddef>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace lrid {

/// Tells ThreadSanitizer the order of a parallel loop: what came before it happens before every task, each
/// task before what comes after it. It sees no order in Debian's oneTBB, which is not instrumented. Does
/// nothing elsewhere.
class LoopOrder {
 public:
  LoopOrder() { release(this); }
  ~LoopOrder() { acquire(&end_); }
  LoopOrder(const LoopOrder&) = delete;
  LoopOrder& operator=(const LoopOrder&) = delete;

  /// Lives while a task runs.
  class Task {
   public:
    explicit Task(LoopOrder& loop) : loop_(loop) { acquire(&loop_); }
    ~Task() { release(&loop_.end_); }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

   private:
    LoopOrder& loop_;
  };

 private:
#if defined(__SANITIZE_THREAD__)
  static void acquire(void* at) {
    __tsan_acquire(at);
  }
  static void release(void* at) {
    __tsan_release(at);
  }
#else
  static void acquire(void* /*at*/) {}
  static void release(void* /*at*/) {}
#endif
  char end_ = 0;
};

/// body(begin, end) over [0, n) in parallel, safe inside other parallel loops:
/// - all of it is done when this returns, or an exception of the body's is thrown. In TBB's default context a
///   loop inside a loop that is being cancelled stops half-way without a word;
/// - a thread that waits for the others' share does not begin other work (another cell, with its memory).
template <class Body>
void parallel_ranges(std::size_t n, const Body& body) {
  tbb::this_task_arena::isolate([&] {
    tbb::task_group_context context(tbb::task_group_context::isolated);
    LoopOrder order;
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, n, 1),
        [&](const tbb::blocked_range<std::size_t>& range) {
          const LoopOrder::Task task(order);
          body(range.begin(), range.end());
        },
        tbb::auto_partitioner(), context);
  });
}

/// body(i) for every i in [0, n).
template <class Body>
void parallel_each(std::size_t n, const Body& body) {
  parallel_ranges(n, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace lrid
