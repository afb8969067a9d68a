#include <atomic>
#include <csignal>
#include <cstdlib>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>

#include "blocking.hpp"

namespace lrid {

namespace {

std::atomic<bool> requested{false};
std::atomic<int> blocking_calls{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int signal_number) {
  // A person who presses Ctrl-C twice means it; a scheduler may well send its signal several times.
  const bool is_second_request = requested.exchange(true) && signal_number == SIGINT;
  if (is_second_request || blocking_calls > 0) std::_Exit(static_cast<int>(ExitCode::interrupted));
}

}  // namespace

EndsAtOnce::EndsAtOnce() {
  ++blocking_calls;
}

EndsAtOnce::~EndsAtOnce() {
  --blocking_calls;
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal_number, &action, nullptr);
}

bool interrupt_requested() {
  return requested;
}

void check_interrupt() {
  if (interrupt_requested()) throw Interrupted();
}

void request_interrupt(bool on) {
  requested = on;
}

}  // namespace lrid
