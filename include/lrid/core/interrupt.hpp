#pragma once

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

namespace lrid {

/// Makes SIGINT, SIGTERM and SIGUSR1 set a flag; a second SIGINT ends the process at once.
void catch_interrupts();
/// Whether an interrupt has arrived. Long loops ask between steps, save their state and throw Interrupted.
bool interrupt_requested();
/// Throws Interrupted if one has arrived.
void check_interrupt();
/// Sets the flag as a signal would, for tests.
void request_interrupt(bool on = true);

/// Runs `call` on its own thread and returns its result, or throws Interrupted if an interrupt arrives first.
/// For calls that may block forever: opening a pipe without a writer, or a file on a mount whose server is
/// gone. An abandoned call continues until the process ends, so it must own what it uses.
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
