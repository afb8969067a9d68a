#pragma once

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

namespace lrid {

/// From now on SIGINT, SIGTERM and SIGUSR1 only set a flag; a second SIGINT ends the process at once.
void catch_interrupts();
/// Whether one has arrived. Long loops ask between steps, write their state and throw Interrupted.
bool interrupt_requested();
/// Throws Interrupted if one has arrived.
void check_interrupt();
/// Sets the flag as a signal would (tests).
void request_interrupt(bool on = true);

/// Returns what `call` returns, run on a thread of its own, or throws Interrupted when an interrupt arrives
/// first. For calls that may block for ever: opening a pipe that nobody writes to, a file of a mount whose
/// server is gone. A call left behind goes on until the process ends, so it must own what it uses.
template <class Call>
std::invoke_result_t<Call&> interruptibly(Call call) {
  std::packaged_task<std::invoke_result_t<Call&>()> task(std::move(call));
  auto result = task.get_future();
  std::thread thread(std::move(task));
  while (result.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (!interrupt_requested()) continue;
    thread.detach();
    check_interrupt();
  }
  thread.join();
  return result.get();
}

}  // namespace lrid
