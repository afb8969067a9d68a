#include <csignal>
#include <cstdlib>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>

namespace lrid {

namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int signal_number) {
  // A person who presses ctrl-C twice means it; a scheduler may well send its signal several times.
  if (requested != 0 && signal_number == SIGINT) std::_Exit(static_cast<int>(ExitCode::interrupted));
  requested = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal_number, &action, nullptr);
}

bool interrupt_requested() {
  return requested != 0;
}

void check_interrupt() {
  if (interrupt_requested()) throw Interrupted();
}

void request_interrupt(bool on) {
  requested = on ? 1 : 0;
}

}  // namespace lrid
